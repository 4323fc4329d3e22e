import { isSecondFactorStage, OWN_STAGES } from '../matrix/wire.ts';
import type { ProofOnRecord } from '../storage/tables/releases.ts';
import { isSatisfied, type Session } from '../uia/session.ts';

/** A session in which a second factor was accepted and nothing is left to prove. */
class FactorPassed {
  readonly hasFactor = true;
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  isFor(userId: string): boolean {
    return this.#session.binding.userId === userId;
  }

  /** The kind of the factor that was given. */
  get factor(): string {
    return factorKindIn(this.#session) ?? '';
  }

  /** What is used up with the release. */
  get record(): ProofOnRecord {
    return { kind: 'session', hash: this.#session.idHash };
  }
}

export type { FactorPassed };

/** The kind of the second factor that was given in a session. */
export function factorKindIn({ completed }: Session): string | undefined {
  return completed.find(isSecondFactorStage)?.slice(OWN_STAGES.length);
}

/** A finished session is a proof on record. Undefined if something is left to prove, or no factor was asked for. */
export function passedIn(session: Session): FactorPassed | undefined {
  if (!isSatisfied(session.flows, session.completed)) return undefined;
  return session.completed.some(isSecondFactorStage) ? new FactorPassed(session) : undefined;
}
