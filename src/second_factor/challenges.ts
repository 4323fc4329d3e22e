import type { Factor } from '../factors/factor.ts';
import type { Factors } from '../factors/factors.ts';
import type { Answer, Handler } from '../http/answer.ts';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import type { Storage } from '../storage/storage.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { nextStages, type Session } from '../uia/session.ts';

/** A question of a factor that may come next in a session. */
export interface AskedFactor {
  readonly factor: Factor;
  readonly params: JsonObject;
}

/**
 * The questions that factors ask (`Factor.challenge`). A session exists at a sign-in after the right password only, so
 * no one else learns them.
 */
export class Challenges {
  constructor(
    private readonly deps: {
      readonly factors: Factors;
      readonly engine: Pick<UiaEngine, 'find'>;
      readonly storage: Pick<Storage, 'commit'>;
    },
  ) {}

  /** The factors whose stages may come next. */
  nextIn(session: Session): Factor[] {
    const next = nextStages(session.flows, session.completed);
    return this.deps.factors.offered.filter(({ stage }) => next.includes(stage));
  }

  /** The questions of the factors whose stages may come next. They are kept before they are told. */
  async of(session: Session): Promise<AskedFactor[]> {
    const { userId } = session.binding;
    const asked: AskedFactor[] = [];
    for (const factor of this.nextIn(session)) {
      const challenge = await factor.challenge?.(userId, session.idHash);
      if (challenge === undefined) continue;
      if (challenge.kept !== undefined) await this.deps.storage.commit([userId], challenge.kept);
      asked.push({ factor, params: challenge.params });
    }
    return asked;
  }

  /** A handler whose 401 has the questions in `params`; the handler itself where no factor asks any. */
  inAnswersOf(handler: Handler): Handler {
    if (this.deps.factors.offered.every(({ challenge }) => challenge === undefined)) return handler;
    return async (request) => this.inAnswer(await handler(request));
  }

  /** Whether a stage of these flows is of a factor that asks questions: if not, the session need not be found. */
  private mayAsk({ flows }: JsonObject): boolean {
    const told = JSON.stringify(flows);
    return this.deps.factors.offered.some(
      ({ stage, challenge }) => challenge !== undefined && told.includes(JSON.stringify(stage)),
    );
  }

  private async inAnswer(answer: Answer): Promise<Answer> {
    const { status, body } = answer;
    if (status !== 401 || !isJsonObject(body) || typeof body.session !== 'string') return answer;
    if (!this.mayAsk(body)) return answer;
    const session = await this.deps.engine.find(body.session);
    const asked = session === undefined ? [] : await this.of(session);
    if (asked.length === 0) return answer;
    const questions = asked.map(({ factor, params }) => [factor.stage, params] as const);
    const before = isJsonObject(body.params) ? body.params : {};
    return { ...answer, body: { ...body, params: { ...before, ...Object.fromEntries(questions) } } };
  }
}
