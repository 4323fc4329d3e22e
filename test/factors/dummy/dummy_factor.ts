/**
 * A factor by the recipe of docs/architecture.md, made of what the library exports and nothing else: the server asks a
 * question, once for each session, and the proof is an object with the answer, which only the secret gives.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import {
  type Attempt,
  type Authenticator,
  burnChallenge,
  type Challenge,
  type ConfirmedAuthenticator,
  type CreateFactor,
  type Factor,
  type FactorDeps,
  type FactorPage,
  type FactorSetUp,
  type FactorVerdict,
  findChallenge,
  type Json,
  type JsonObject,
  keepChallenge,
  Refusal,
  spendStep,
} from '../../../src/index.ts';

export const DUMMY_STAGE = 'm.login.2fa.dummy';

const CHALLENGE_MS = 5 * 60_000;

/** What the owner of the secret answers to a question. */
export function dummyAnswer(secret: Buffer, question: string): string {
  return createHmac('sha256', secret).update(question).digest('hex');
}

export const dummyFactor: CreateFactor = (deps) => new DummyFactor(deps);

class DummyFactor implements Factor {
  readonly kind = 'dummy';
  readonly stage = DUMMY_STAGE;
  readonly role = 'primary';
  readonly about = 'The answer to a question of the server.';
  readonly proofField = 'reply';
  readonly authSchema = {
    reply: {
      type: ['object', 'null'],
      additionalProperties: false,
      required: ['answer'],
      properties: { answer: { type: 'string', maxLength: 100 } },
    },
  };
  readonly events = {
    enabled: { en: 'Dummy turned on', de: 'Attrappe eingeschaltet' },
    added: { en: 'Dummy added', de: 'Attrappe hinzugefügt' },
    removed: { en: 'Dummy removed', de: 'Attrappe entfernt' },
    renamed: { en: 'Dummy renamed', de: 'Attrappe umbenannt' },
    disabled: { en: 'Dummy turned off', de: 'Attrappe ausgeschaltet' },
    used: { en: 'Dummy answered', de: 'Attrappe hat geantwortet' },
  };
  readonly page: FactorPage = {
    field: 'dummy_answer',
    label: { en: 'Answer', de: 'Antwort' },
    submit: { en: 'Answer', de: 'Antworten' },
    refused: { en: 'This is not the answer.', de: 'Das ist nicht die Antwort.' },
    question: ({ question }, language) =>
      `${language === 'de' ? 'Die Frage ist' : 'The question is'} ${String(question)}`,
    read: (sent) => (sent === '' ? undefined : { answer: sent }),
  };
  readonly setUp: FactorSetUp = new DummySetUp();

  constructor(private readonly deps: FactorDeps) {}

  async available(userId: string): Promise<boolean> {
    return (await this.deps.store.authenticators(userId, this.kind)).length > 0;
  }

  async describe(userId: string): Promise<JsonObject | undefined> {
    const authenticators = await this.deps.store.authenticators(userId, this.kind);
    if (authenticators.length === 0) return undefined;
    return { authenticators: authenticators.map(({ id, name }) => ({ id, name })) };
  }

  async challenge(userId: string, session: string): Promise<Challenge> {
    const [kept] = await this.deps.storage.read(findChallenge(session, this.kind, userId));
    if (kept !== undefined) return { params: { question: this.open(session, kept.sealed) } };
    const question = this.deps.random.bytes(16).toString('hex');
    const sealed = this.deps.vault.seal(question, `challenge:${session}`);
    return {
      params: { question },
      kept: keepChallenge({ session, kind: this.kind, userId, sealed }, CHALLENGE_MS),
    };
  }

  async verify({ userId, session }: Attempt, proof: Json): Promise<FactorVerdict> {
    const burnt = await this.deps.storage.commit([userId], burnChallenge(session, this.kind, userId));
    const { answer } = proof as { answer: string };
    if (burnt === undefined) return { is: 'unasked' };
    const question = this.open(session, burnt.sealed);
    for (const authenticator of await this.deps.store.authenticators(userId, this.kind)) {
      if (!isAnswer(this.secretOf(authenticator), question, answer)) continue;
      const { id, lastStep } = authenticator;
      const spend = spendStep(userId, { authenticatorId: id, step: lastStep + 1 });
      return { is: 'match', spend, detail: { authenticator: id } };
    }
    return { is: 'no_match', why: 'wrong' };
  }

  private open(session: string, sealed: Buffer): string {
    return this.deps.vault.open(sealed, `challenge:${session}`).toString();
  }

  private secretOf({ id, userId, sealedSeed }: Authenticator): Buffer {
    return this.deps.vault.open(sealedSeed, `authenticator:${id}:${userId}`);
  }
}

class DummySetUp implements FactorSetUp {
  readonly usualName = 'Dummy';
  readonly deeds = {
    setUp: { en: 'set up a dummy', de: 'eine Attrappe einrichten' },
    remove: { en: 'remove a dummy', de: 'eine Attrappe entfernen' },
  };

  async begin(): Promise<{ secret: Buffer; answer: JsonObject }> {
    const secret = randomBytes(32);
    return { secret, answer: { secret: secret.toString('hex') } };
  }

  read(body: JsonObject | undefined): { setupId: string; proof: Json } {
    const { setup_id: setupId, reply } = body ?? {};
    if (typeof setupId !== 'string' || typeof reply !== 'string') throw new Refusal('bad_json');
    return { setupId, proof: reply };
  }

  async confirm(_userId: string, secret: Buffer, proof: Json): Promise<ConfirmedAuthenticator | undefined> {
    return isAnswer(secret, 'set-up', String(proof)) ? { secret, lastStep: 0 } : undefined;
  }
}

function isAnswer(secret: Buffer, question: string, answer: string): boolean {
  const [wanted, given] = [dummyAnswer(secret, question), answer].map((text) => Buffer.from(text));
  return wanted !== undefined && wanted.length === given?.length && timingSafeEqual(wanted, given);
}
