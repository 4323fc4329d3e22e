import type { JsonObject } from '../matrix/wire.ts';

/** What is sealed beside a grant. */
export interface HoldFacts {
  /** When the homeserver granted it. */
  readonly grantedAt: number;
  /** Whether an allowance is to be given back when it is taken. */
  readonly usesAllowance: boolean;
  /** Whether a refresh token was asked for. */
  readonly refresh: boolean;
  /** The password that it was granted for, without an appended code: for the second login of R5. */
  readonly password: string | undefined;
  /** This login has recovered its account, and the other sessions have yet to end: they end with it at the latest. */
  readonly endsOthers?: boolean;
}

/** What stands beside a grant in what was sealed. */
export function holdFactsIn({
  grantedAt,
  usesAllowance,
  refresh,
  password,
  endsOthers,
}: JsonObject): HoldFacts {
  if (typeof grantedAt !== 'number') throw new Error('a held login does not say when it was granted');
  return {
    grantedAt,
    usesAllowance: usesAllowance === true,
    refresh: refresh === true,
    password: typeof password === 'string' ? password : undefined,
    endsOthers: endsOthers === true,
  };
}
