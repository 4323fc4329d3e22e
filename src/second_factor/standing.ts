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

/** The user owes a second factor. */
export interface OwesFactor {
  readonly is: 'owes_factor';
  /** Of the account, under which it is owed. What rests on it holds only while the account has it. */
  readonly version: number;
}

/** What a user owes before a login of theirs is handed out. */
export type Standing = { readonly is: 'passes'; readonly proof: StandingPasses } | OwesFactor;

/** Says what users owe. */
export class Standings {
  constructor(private readonly deps: { readonly factors: FactorStore }) {}

  async of(userId: string): Promise<Standing> {
    const owing = await this.deps.factors.owing(userId);
    if (owing !== undefined) return { is: 'owes_factor', version: owing.version };
    return { is: 'passes', proof: new StandingPasses(userId) };
  }
}
