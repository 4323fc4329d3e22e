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

/** What a user owes before a login of theirs is handed out. */
export type Standing =
  | { readonly is: 'passes'; readonly proof: StandingPasses }
  | { readonly is: 'owes_factor' };

/** Says what users owe. */
export class Standings {
  constructor(private readonly deps: { readonly factors: FactorStore }) {}

  async of(userId: string): Promise<Standing> {
    if (await this.deps.factors.isEnrolled(userId)) return { is: 'owes_factor' };
    return { is: 'passes', proof: new StandingPasses(userId) };
  }
}
