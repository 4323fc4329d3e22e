import { createHash } from 'node:crypto';
import type { Answer } from '../http/answer.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Effect } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  findKeptAnswer,
  forgetKeyedRequest,
  keepAnswer,
  takeKeyedRequest,
} from '../storage/tables/admin_answers.ts';
import { HOUR, MINUTE } from '../system/clock.ts';
import type { Pause } from '../system/pause.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import type { Vault } from '../vault/vault.ts';

const TIMES = { takenMs: 2 * MINUTE, keptMs: 24 * HOUR };
/** How often those look who wait for the answer to an equal request, and for how long. */
const LOOK_EVERY_MS = 50;
const LOOKS = (3 * MINUTE) / LOOK_EVERY_MS;

/** What an answer is kept under. */
export interface OnceFor {
  /** Whose key it is. */
  readonly token: string;
  readonly key: string;
  /** All that the request asks for. */
  readonly asked: readonly (string | Buffer)[];
}

/** What a request does, given what keeps its answer in the commit of that. */
type KeptAct = (keep: (answer: JsonObject) => Effect) => Promise<Answer>;

/** Requests that came with a key: equal ones are carried out once, and all get the answer. */
export class Once {
  constructor(
    private readonly deps: {
      readonly storage: Pick<Storage, 'read' | 'commit'>;
      readonly vault: Vault;
      readonly random: RandomSource;
      readonly pause: Pause;
    },
  ) {}

  /** @throws Refusal conflict; whatever `act` throws: then it was not carried out, and may come again */
  async do({ token, key: given, asked }: OnceFor, act: KeptAct): Promise<Answer> {
    const { storage, random, pause } = this.deps;
    const key = digestOf([token, given]);
    const requestDigest = digestOf(asked);
    const holder = randomId(random);
    for (let look = 0; look < LOOKS; look += 1) {
      const taken = await storage.commit([], takeKeyedRequest({ key, requestDigest }, holder, TIMES));
      if (taken !== undefined) return this.carryOut(key, holder, act);
      const [kept] = await storage.read(findKeptAnswer(key));
      if (kept === undefined) continue;
      if (kept.requestDigest !== requestDigest) throw new Refusal('conflict');
      if (kept.sealedAnswer !== null) return this.opened(key, kept.sealedAnswer);
      await pause(LOOK_EVERY_MS);
    }
    throw new Refusal('conflict', { text: 'An equal request is still being carried out.' });
  }

  private async carryOut(key: string, holder: string, act: KeptAct): Promise<Answer> {
    const { storage, vault } = this.deps;
    const kept: string[] = [];
    const keep = (body: Answer['body']) => {
      const text = JSON.stringify(body);
      kept.push(text);
      return keepAnswer(key, holder, vault.seal(text, `admin-answer:${key}`));
    };
    try {
      const answer = await act(keep);
      // An act that wrote nothing, or did not know its answer before it wrote, keeps the answer now.
      if (kept.at(-1) !== JSON.stringify(answer.body)) await storage.commit([], keep(answer.body));
      return answer;
    } catch (error) {
      if (error instanceof Refusal) await storage.commit([], forgetKeyedRequest(key, holder));
      throw error;
    }
  }

  private opened(key: string, sealed: Buffer): Answer {
    const body = JSON.parse(this.deps.vault.open(sealed, `admin-answer:${key}`).toString()) as JsonObject;
    return { status: 200, body };
  }
}

/** The parts go in with their lengths, so that no two lists have the same digest. */
function digestOf(parts: readonly (string | Buffer)[]): string {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(`${Buffer.byteLength(part)} `).update(part);
  return hash.digest('hex');
}
