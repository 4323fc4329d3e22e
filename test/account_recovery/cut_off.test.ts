import { join } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { openRecipient } from '../../src/notify/recovery_notices.ts';
import { voteIdentity } from '../../src/notify/vote_request.ts';
import type { Services } from '../../src/server/compose.ts';
import { ask, effect } from '../../src/storage/statement.ts';
import type { Storage } from '../../src/storage/storage.ts';
import { addRecoveryContacts } from '../../src/storage/tables/recovery_contacts.ts';
import { listRecipients } from '../../src/storage/tables/recovery_notices.ts';
import { findRecoveries, type SeenRecovery } from '../../src/storage/tables/recovery_requests.ts';
import { listVotes } from '../../src/storage/tables/recovery_votes.ts';
import { systemRandom } from '../../src/system/random.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { seedIn } from '../account/account.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';
import { MortalStores } from '../support/mortal_stores.ts';
import { servicesOf } from '../support/services.ts';
import { Visitor } from '../support/visitor.ts';
import { BEGIN, credentials, DAY, HOUR, PASSWORD, requestFrom, startRecovering } from './recovering.ts';

const VOTE = '/_matrix/client/unstable/org.matrix.2fa/recovery_vote';
const ALICE = '@alice:localhost';
const OPERATOR = { grounds: { reason: 'in the sea', verifiedBy: 'Ada, video call' }, who: 'Ada' } as const;
/** Longer than anything that a process has reserved when it dies. */
const RESERVED_MS = 2 * 60_000;

/** An owner, and what the last step needs of what went before. */
interface Owner {
  readonly name: string;
  readonly userId: string;
  readonly enrolled: Enrolled;
  claimCode: string;
  session: string;
  setUp: { readonly id: string; readonly seed: Buffer } | undefined;
}

interface Step {
  readonly name: string;
  /** What goes before it. */
  readonly before: readonly ((owner: Owner) => Promise<unknown>)[];
  /** The time that goes by before it, also before it is tried once more. */
  readonly afterMs?: number;
  readonly act: (owner: Owner, at: TestApp) => Promise<unknown>;
  /** How it ends, and what is on record then. */
  readonly comesTo: { readonly state: SeenRecovery['state']; readonly events: readonly string[] };
}

/**
 * The rounds of an application's clock, which nobody else begins any more: housekeeping, every five seconds, would count
 * the time that a step is to count, and go on with it after the step has ended.
 */
function ownRounds(app: TestApp): () => Promise<void> {
  const { recoveryClock } = servicesOf(app);
  const round = recoveryClock.round.bind(recoveryClock);
  Object.assign(recoveryClock, { round: async () => undefined });
  return round;
}

/** The stores of an application: its clock has one of its own. */
function storesOf(app: TestApp): ReadonlySet<Storage> {
  const { recoveryClock } = servicesOf(app);
  // biome-ignore lint/complexity/useLiteralKeys: only brackets reach a private member.
  return new Set([app.storage, recoveryClock['deps'].storage as Storage]);
}

describeOnSharedDatabases('each step of a recovery', (start) => {
  let app: TestApp;
  let other: TestApp;
  let alice: Enrolled;
  let stores: MortalStores;
  let vault: SealingVault;
  let owners = 0;
  const rounds = new Map<TestApp, () => Promise<void>>();

  beforeAll(async () => {
    ({ app } = await startRecovering(
      start,
      '{ enabled: true, operators: ["@ops:localhost"], votes: { enabled: true, quorum: 1 } }',
      {
        config:
          'policy: { administrators: { detect: false } }\nnotify: { mail: { from: 2fa@example.org, port: 1 } }',
      },
    ));
    other = await app.startAnother();
    for (const each of [app, other]) rounds.set(each, ownRounds(each));
    await rounds.get(other)?.();
    alice = await app.enrol('alice');
    stores = new MortalStores(storesOf(app));
    vault = new SealingVault(loadKeyRing(join(app.directory, 'keys.json')), systemRandom);
  });

  const services = (at: TestApp): Services => servicesOf(at);

  async function newOwner(): Promise<Owner> {
    owners += 1;
    const name = `owner${owners}`;
    const userId = `@${name}:localhost`;
    app.stub.addUser({ name, password: PASSWORD, emails: [`${name}@example.org`] });
    const enrolled = await app.enrol(name);
    const voters = JSON.stringify([{ userId: ALICE, namedTs: app.clock.now() - 8 * DAY }]);
    const none = {
      contactKind: null,
      sealedContact: null,
      contactConfirmedAt: null,
      confirmHash: null,
      confirmUntil: null,
    };
    await app.storage.commit(
      [userId],
      addRecoveryContacts({ ...none, userId, voters, absences: '[]', timeZone: null }),
    );
    return { name, userId, enrolled, claimCode: '', session: '', setUp: undefined };
  }

  async function requestOf({ userId }: Owner): Promise<SeenRecovery> {
    const [request] = await app.storage.read(findRecoveries('user_id = :userId', { userId }));
    if (request === undefined) throw new Error('none was begun');
    return request;
  }

  const begun = async (owner: Owner) => {
    owner.claimCode = String((await app.post(BEGIN, credentials(owner.name))).json.claim_code);
  };
  const approved = async (owner: Owner) =>
    services(app).recoveryEndings.approve(await requestOf(owner), OPERATOR, 7 * DAY);
  const signedIn = async (owner: Owner) => {
    const body = {
      name: owner.name,
      password: PASSWORD,
      browser: 'a browser',
      redirectUrl: 'https://app.example.net/',
    };
    owner.session = (await services(app).pageSignIn.begin(requestFrom(), body)).standing.id;
  };
  const setUp = async (owner: Owner) => {
    const { recoveryClaims, recoverySetUp } = services(app);
    owner.session = (await recoveryClaims.claim(requestFrom(), owner.session, owner.claimCode)) ?? '';
    const wanted = { session: owner.session, factor: 'totp' };
    const { setup_id, seed } = await recoverySetUp.begin(requestFrom(), wanted);
    owner.setUp = { id: String(setup_id), seed: seedIn(String(seed)) };
  };

  async function voted(owner: Owner, at: TestApp, vote: object): Promise<void> {
    const [asked] = await app.storage.read(listVotes((await requestOf(owner)).id));
    if (asked === undefined) throw new Error('no one was asked');
    const link = vault.open(asked.sealedLink, voteIdentity(asked)).toString('utf8');
    const password = `${PASSWORD} ${app.code(alice)}`;
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: ALICE }, password };
    const { token } = app.stub.signIn('alice');
    await at.call({ method: 'PUT', target: VOTE, token, json: { link, ...vote, auth } });
  }

  async function cancelledByLink(owner: Owner, at: TestApp): Promise<void> {
    const [first] = await app.storage.read(listRecipients((await requestOf(owner)).id));
    if (first === undefined) throw new Error('no one is told');
    const person = new Visitor(at.url);
    await person.open(`/_2fa/recover/cancel?t=${openRecipient(vault, first).token}`);
    await person.send({});
  }

  const steps: readonly Step[] = [
    {
      name: 'a beginning with a recovery code',
      before: [],
      act: ({ name, enrolled }, at) =>
        at.post(BEGIN, { ...credentials(name), voucher: enrolled.recoveryCodes[0] ?? '' }),
      comesTo: { state: 'waiting', events: ['begun'] },
    },
    {
      name: 'a cancel link',
      before: [begun],
      act: cancelledByLink,
      comesTo: { state: 'cancelled', events: ['begun', 'cancelled'] },
    },
    {
      name: 'the stop on the code page',
      before: [begun, signedIn],
      act: ({ session }, at) => services(at).pageRecovery.stop(requestFrom(), session),
      comesTo: { state: 'cancelled', events: ['begun', 'cancelled'] },
    },
    {
      name: 'a vote for it',
      before: [begun],
      afterMs: 30_000,
      act: (owner, at) => voted(owner, at, { vote: 'yes', how: 'on the phone' }),
      comesTo: { state: 'waiting', events: ['begun', 'voted'] },
    },
    {
      name: 'a vote against it',
      before: [begun],
      afterMs: 30_000,
      act: (owner, at) => voted(owner, at, { vote: 'no' }),
      comesTo: { state: 'cancelled', events: ['begun', 'voted', 'cancelled'] },
    },
    {
      name: 'a denial',
      before: [begun],
      act: async (owner, at) => services(at).recoveryEndings.deny(await requestOf(owner), OPERATOR),
      comesTo: { state: 'cancelled', events: ['begun', 'denied'] },
    },
    {
      name: 'an approval',
      before: [begun],
      act: async (owner, at) =>
        services(at).recoveryEndings.approve(await requestOf(owner), OPERATOR, 7 * DAY),
      comesTo: { state: 'open', events: ['begun', 'approved'] },
    },
    {
      name: 'its opening by the clock',
      before: [begun],
      afterMs: 73 * HOUR,
      act: async (_owner, at) => rounds.get(at)?.(),
      comesTo: { state: 'open', events: ['begun', 'opened'] },
    },
    {
      name: 'its end by the clock',
      before: [begun, approved],
      afterMs: 7 * DAY + HOUR,
      act: async (_owner, at) => rounds.get(at)?.(),
      comesTo: { state: 'expired', events: ['begun', 'approved', 'expired'] },
    },
    {
      name: 'its last step',
      before: [begun, approved, signedIn, setUp],
      act: async ({ session, setUp: begunSetUp }, at) => {
        if (begunSetUp === undefined) throw new Error('nothing is set up');
        const { id: setupId, seed } = begunSetUp;
        const sent = codeAt(seed, app.clock.now());
        return services(at).recoverySetUp.confirmSent(requestFrom(), { session, setupId, sent });
      },
      comesTo: { state: 'finished', events: ['begun', 'approved', 'finished'] },
    },
  ];

  async function ready({ before }: Step): Promise<Owner> {
    const owner = await newOwner();
    for (const each of before) await each(owner);
    await app.storage.commit([], effect('DELETE FROM notices'));
    return owner;
  }

  /** All that a step may change: request, record, votes, what waits to be sent, authenticators and codes. */
  async function seen({ userId, enrolled }: Owner): Promise<object> {
    const requests = await app.storage.read(findRecoveries('user_id = :userId', { userId }));
    const votes = await Promise.all(requests.map(({ id }) => app.storage.read(listVotes(id))));
    const entries = await app.storage.audit.list({ userId });
    const notices = await app.storage.read(
      ask<{ event: string }>('SELECT event FROM notices WHERE user_id = :userId', { userId }),
    );
    const authenticators = await app.storage.factors.authenticators(userId);
    return {
      requests: requests.map(({ state, waitMs, vouched, endedBy }) => ({ state, waitMs, vouched, endedBy })),
      votes: votes.flat().map(({ vote }) => vote),
      events: entries
        .map(({ event }) => event)
        .filter((event) => /^recovery/.test(event))
        .toReversed(),
      notices: notices.map(({ event }) => event).toSorted(),
      authenticators: authenticators.map(({ id }) => (id === enrolled.authenticatorId ? 'old' : 'new')),
    };
  }

  async function ended({ userId }: Owner): Promise<void> {
    await app.storage.commit(
      [userId],
      effect(
        "UPDATE recovery_requests SET state = 'cancelled', ended_at = :now WHERE user_id = :userId AND state IN ('waiting', 'open')",
        { userId },
      ),
    );
  }

  describe.each(steps.map((step) => [step.name, step] as const))('%s', (_name, step) => {
    const { act, afterMs = 0, comesTo } = step;

    test('attack 336: the process dies before or behind each commit → all of it is there or nothing, and trying again does it once', async () => {
      const whole = await ready(step);
      const before = await seen(whole);
      app.live(afterMs);
      await act(whole, app);
      const after = await seen(whole);
      expect(after).not.toEqual(before);
      expect(await requestOf(whole)).toMatchObject({ state: comesTo.state });
      await ended(whole);
      let cuts = 0;
      for (let point = 1; ; point += 1) {
        const owner = await ready(step);
        app.live(afterMs);
        const hasDied = await stores.dying(owner, point, () => act(owner, app));
        const left = await seen(owner);
        expect([before, after]).toContainEqual(left);
        if (!hasDied) break;
        cuts += 1;
        app.live(Math.max(RESERVED_MS, afterMs));
        await act(owner, app).catch(() => undefined);
        expect(await seen(owner)).toEqual(after);
        await ended(owner);
      }
      expect(cuts).toBeGreaterThanOrEqual(2);
    });

    test('attack 337: two processes do it at once → it is done once', async () => {
      const owner = await ready(step);
      app.live(afterMs);
      await Promise.allSettled([act(owner, app), act(owner, other)]);
      expect(await requestOf(owner)).toMatchObject({ state: comesTo.state });
      const entries = await app.storage.audit.list({ userId: owner.userId });
      const events = entries
        .map(({ event }) => event)
        .filter((event) => event.startsWith('recovery_request.'));
      expect(events.toReversed()).toEqual(comesTo.events.map((event) => `recovery_request.${event}`));
      await ended(owner);
    });
  });
});
