/**
 * A second factor by the recipe of docs/architecture.md, of the other kind: its codes are typed, one after another, as those
 * of a token with a counter are. Made of what the library exports and nothing else.
 */
import { createHmac, randomBytes } from 'node:crypto';
import {
  type Attempt,
  type Authenticator,
  type ConfirmedAuthenticator,
  type CreateFactor,
  type Factor,
  type FactorDeps,
  type FactorSetUp,
  type FactorVerdict,
  type Json,
  type JsonObject,
  Refusal,
  type SetUpPage,
  spendStep,
  type TypedProof,
} from '../../../src/index.ts';

export const KNOCK_STAGE = 'm.login.2fa.knock';

const CODE = /^k[0-9a-f]{8}$/;
const CODE_LENGTH = 9;
/** How many codes may have been made and not used. */
const AHEAD = 5;

/** The code with this number. */
export function knock(secret: Buffer, number: number): string {
  return `k${createHmac('sha256', secret).update(String(number)).digest('hex').slice(0, 8)}`;
}

export const knockFactor: CreateFactor = (deps) => new KnockFactor(deps);

class KnockFactor implements Factor {
  readonly kind = 'knock';
  readonly stage = KNOCK_STAGE;
  readonly role = 'primary';
  readonly about = 'The next code of a token.';
  readonly proofField = 'knock';
  readonly counter = 'knock';
  readonly authSchema = { knock: { type: ['string', 'null'] } };
  readonly typed: TypedProof = {
    read: (typed) => (CODE.test(typed.trim().toLowerCase()) ? typed.trim().toLowerCase() : undefined),
    tail: (field) => {
      const code = field.slice(-CODE_LENGTH);
      const password = field.slice(0, -CODE_LENGTH).trimEnd();
      return CODE.test(code) && password !== '' ? { password, code } : undefined;
    },
  };
  readonly events = {
    enabled: { en: 'Token turned on', de: 'Token eingeschaltet' },
    added: { en: 'Token added', de: 'Token hinzugefügt' },
    removed: { en: 'Token removed', de: 'Token entfernt' },
    renamed: { en: 'Token renamed', de: 'Token umbenannt' },
    disabled: { en: 'Token turned off', de: 'Token ausgeschaltet' },
    used: { en: 'Code of the token accepted', de: 'Code des Tokens angenommen' },
  };
  readonly setUp: FactorSetUp = new KnockSetUp();

  constructor(private readonly deps: FactorDeps) {}

  async available(userId: string): Promise<boolean> {
    return (await this.deps.store.authenticators(userId, this.kind)).length > 0;
  }

  async describe(userId: string): Promise<JsonObject | undefined> {
    const authenticators = await this.deps.store.authenticators(userId, this.kind);
    if (authenticators.length === 0) return undefined;
    return { authenticators: authenticators.map(({ id, name }) => ({ id, name })) };
  }

  async verify({ userId }: Attempt, code: Json): Promise<FactorVerdict> {
    for (const authenticator of await this.deps.store.authenticators(userId, this.kind)) {
      const step = numberOf(this.secretOf(authenticator), authenticator.lastStep, code);
      if (step === undefined) continue;
      const spend = spendStep(userId, { authenticatorId: authenticator.id, step });
      return { is: 'match', spend, detail: { authenticator: authenticator.id } };
    }
    return { is: 'no_match', why: 'wrong' };
  }

  private secretOf({ id, userId, sealedSeed }: Authenticator): Buffer {
    return this.deps.vault.open(sealedSeed, `authenticator:${id}:${userId}`);
  }
}

class KnockSetUp implements FactorSetUp {
  readonly usualName = 'Token';
  readonly deeds = {
    setUp: { en: 'set up a token', de: 'einen Token einrichten' },
    remove: { en: 'remove a token', de: 'einen Token entfernen' },
  };
  readonly page: SetUpPage = {
    is: 'secret',
    shown: (_userId, secret) => ({ link: 'knock:', key: secret.toString('hex'), digits: CODE_LENGTH }),
  };

  async begin(): Promise<{ secret: Buffer; answer: JsonObject }> {
    const secret = randomBytes(32);
    return { secret, answer: { secret: secret.toString('hex') } };
  }

  read(body: JsonObject | undefined): { setupId: string; proof: Json } {
    const { setup_id: setupId, knock: code } = body ?? {};
    if (typeof setupId !== 'string' || typeof code !== 'string') throw new Refusal('bad_json');
    return { setupId, proof: code };
  }

  async confirm(_userId: string, secret: Buffer, code: Json): Promise<ConfirmedAuthenticator | undefined> {
    const lastStep = numberOf(secret, 0, code);
    return lastStep === undefined ? undefined : { secret, lastStep };
  }
}

/** The number of a code that comes after the last one; undefined if it is none of the next ones. */
function numberOf(secret: Buffer, last: number, code: Json): number | undefined {
  const next = Array.from({ length: AHEAD }, (_, index) => last + index + 1);
  return next.find((number) => knock(secret, number) === code);
}
