import type { Policies, Witness } from '../policy/policies.ts';
import type { Enrolled } from '../storage/tables/authenticators.ts';
import type { FactorStore } from '../storage/tables/factors.ts';

/** The user owes no second factor: looked up in the store, after the homeserver's answer. */
class StandingPasses {
  readonly hasFactor = false;
  readonly #userId: string;

  constructor(userId: string) {
    this.#userId = userId;
  }

  isFor(userId: string): boolean {
    return this.#userId === userId;
  }
}

export type { StandingPasses };

/** The user may have what they ask for, as far as the second factor is concerned. */
export interface Passes {
  /**
   * `in_grace`: two-factor authentication is required of them, but not yet. `cannot_enrol`: it is required, but they
   * have no password with which it could be set up. `may_not_enrol`: the operator does not let them set it up.
   */
  readonly is: 'passes' | 'in_grace' | 'cannot_enrol' | 'may_not_enrol';
  readonly proof: StandingPasses;
  /** When the grace is over, in ms; for `in_grace` only. */
  readonly deadlineTs?: number;
}

/** The user owes a second factor. */
export interface OwesFactor {
  readonly is: 'owes_factor';
  /** The version of the account under which it is owed. What rests on it holds only while the account has it. */
  readonly version: number;
  readonly enrolled: Enrolled;
}

/** The user has to set up a second factor before anything else: it is required of them, and the grace is over. */
export interface OwesEnrolment {
  readonly is: 'owes_enrolment';
  /** As above. */
  readonly version: number;
  /** When the grace was over, in ms. */
  readonly deadlineTs: number;
}

/** What a user owes before a login of theirs is handed out. */
export type Standing = Passes | OwesFactor | OwesEnrolment;

/** Says what users owe. */
export class Standings {
  constructor(private readonly deps: { readonly factors: FactorStore; readonly policies: Policies }) {}

  /** @param witness who can be asked about the user; without one the last known answers count */
  async of(userId: string, witness?: Witness): Promise<Standing> {
    const owing = await this.ofFactor(userId);
    if (owing !== undefined) {
      if (witness !== undefined) await this.deps.policies.learnOf(userId, witness);
      return owing;
    }
    const due = await this.deps.policies.dueFor(userId, witness);
    if (due.is === 'due') {
      return { is: 'owes_enrolment', version: due.version, deadlineTs: due.deadlineTs };
    }
    const proof = new StandingPasses(userId);
    return due.is === 'in_grace'
      ? { is: 'in_grace', proof, deadlineTs: due.deadlineTs }
      : { is: due.standing, proof };
  }

  /** Undefined for a user who has 2FA off, whatever else they owe. */
  async ofFactor(userId: string): Promise<OwesFactor | undefined> {
    const enrolled = await this.deps.factors.owing(userId);
    return enrolled && { is: 'owes_factor', version: enrolled.version, enrolled };
  }
}

/** Whether a login of this user must not be handed out as it is. */
export function owes(standing: Standing): standing is OwesFactor | OwesEnrolment {
  return standing.is === 'owes_factor' || standing.is === 'owes_enrolment';
}
