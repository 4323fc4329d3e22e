import type { REASONS } from '../matrix/outcome.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Session } from './session.ts';

/** Why an attempt failed, for the `errcode` and `error` of a 401 (client-server API, UIA). */
export interface ChallengeError {
  readonly errcode: string;
  readonly error: string;
  /** What the operator is told; undefined if nothing was refused, and only the next stage is asked for. */
  readonly refused: keyof typeof REASONS.refused | undefined;
}

/** What a client is shown of a session. */
export interface ShownSession extends Pick<Session, 'id' | 'flows' | 'completed'> {
  /** What the stages of a flow need to know, by stage; ours need nothing. */
  readonly params?: JsonObject;
}

/**
 * The body of the 401 that tells a client where `session` stands. All four keys are always there, because some
 * clients break without them (spec/stages.md, "The challenge"). `errcode` and `error` only where `error` is given.
 */
export function challengeOf(session: ShownSession, error?: ChallengeError): JsonObject {
  return {
    ...(error && { errcode: error.errcode, error: error.error }),
    session: session.id,
    flows: session.flows.map((stages) => ({ stages: [...stages] })),
    params: session.params ?? {},
    completed: [...session.completed],
  };
}
