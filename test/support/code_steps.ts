import { Audit } from '../../src/audit/audit.ts';
import { createFactors } from '../../src/factors/list.ts';
import type { RecoveryHasher } from '../../src/factors/recovery/recovery_hasher.ts';
import { TOTP_STAGE } from '../../src/factors/totp/totp_words.ts';
import { AddressLimit } from '../../src/limits/attempt_limit.ts';
import { Lanes } from '../../src/limits/lanes.ts';
import { ThrottleRecord } from '../../src/limits/throttle_record.ts';
import { type Json, PASSWORD_STAGE } from '../../src/matrix/wire.ts';
import { type CodeOutcome, CodeStep } from '../../src/second_factor/code_step.ts';
import { PresentedCodes } from '../../src/second_factor/presented.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { type Clock, MINUTE } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { UiaEngine } from '../../src/uia/engine.ts';
import type { Session } from '../../src/uia/session.ts';
import { testHasher, totpSettings } from './enrolment.ts';
import { chainOf } from './entries.ts';
import { testVault } from './test_vault.ts';

/** A code as a client sends it. */
export interface SentCode {
  readonly userId: string;
  readonly stage?: `m.login.2fa.${string}`;
  /** With an access token, or at a sign-in. */
  readonly place?: 'login' | 'session';
  readonly deviceId?: string;
  readonly token: Json | undefined;
}

const CLIENT = { ip: '192.0.2.1', proto: 'https', host: undefined } as const;

/** The code step on a store, as one of several processes has it: without doors, an address that is never limited. */
export class CodeSteps {
  readonly engine: UiaEngine;
  readonly step: CodeStep;
  private readonly presented: PresentedCodes;

  constructor(storage: Storage, clock: Clock, hasher: RecoveryHasher = testHasher) {
    const vault = testVault();
    const parts = { storage, store: storage.factors, vault, clock, random: systemRandom };
    const audit = new Audit({ storage, chain: chainOf(storage), clock });
    this.presented = new PresentedCodes(
      createFactors({
        ...parts,
        hasher,
        mayHaveCodes: () => Promise.resolve(true),
        totp: totpSettings,
        webauthn: undefined,
      }),
    );
    this.engine = new UiaEngine(
      { store: storage.sessions, vault, clock, random: systemRandom },
      { lifetimeMs: 10 * MINUTE, maxSessions: 1000, failureLimit: 5 },
    );
    this.step = new CodeStep({
      storage,
      engine: this.engine,
      lanes: new Lanes(storage, vault),
      addressLimit: new AddressLimit({ perSecond: 1000, burstCount: 100_000 }, clock),
      throttleRecord: new ThrottleRecord(audit, clock),
      audit,
      whenAccepted: async () => [],
    });
  }

  /** A session that wants a code of this stage. */
  open({ userId, stage = TOTP_STAGE, place = 'login', deviceId }: SentCode): Promise<Session> {
    const tokenHash = place === 'session' ? 'hash of a token' : null;
    const flow = place === 'session' ? [stage, PASSWORD_STAGE] : [PASSWORD_STAGE, stage];
    return this.engine.open(
      { target: place, userId, tokenHash },
      {
        flows: [flow],
        completed: place === 'session' ? [] : [PASSWORD_STAGE],
        deviceId: deviceId ?? null,
      },
    );
  }

  /** Takes a code in a session. */
  take(session: Session, { stage = TOTP_STAGE, token }: SentCode): Promise<CodeOutcome> {
    const auth = { type: stage, session: session.id, fields: { token } };
    return this.step.take(session, this.presented.inAuth(auth), { client: CLIENT });
  }

  /** Takes a code in a session of its own. */
  async check(sent: SentCode): Promise<CodeOutcome> {
    return this.take(await this.open(sent), sent);
  }
}
