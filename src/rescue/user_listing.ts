import { LANE_RULES } from '../limits/throttle.ts';
import type { Driver } from '../storage/statement.ts';
import { countKinds, type KnownUserRow, listKnownUsers } from '../storage/tables/known_users.ts';

const READ_AT_ONCE = 500;

/** A user as lists show them. Times in ms. */
export interface ListedUser {
  readonly user_id: string;
  readonly enabled: boolean;
  readonly authenticators: number;
  /** How many of each kind. */
  readonly factors: Readonly<Record<string, number>>;
  readonly recovery_codes_remaining: number;
  readonly last_used_at: number | null;
  readonly first_seen_at: number | null;
  readonly last_seen_at: number | null;
  /** No code of an authenticator is looked at in one of the lanes, until it is opened. */
  readonly locked: boolean;
}

/** Which users are looked for; what is left out does not matter. */
export interface UserFilter {
  readonly enabled?: boolean | undefined;
  readonly noCodes?: boolean | undefined;
  readonly locked?: boolean | undefined;
  /** A kind of factor that they have. */
  readonly factor?: string | undefined;
  /** A part of the id, in whatever case. */
  readonly search?: string | undefined;
  /** Behind this id. */
  readonly after?: string | undefined;
}

/**
 * Users by id: those who were seen or have 2FA on, and `others`, which the homeserver named.
 * @param others sorted
 */
export async function* listUsers(
  storage: Pick<Driver, 'read'>,
  filter: UserFilter,
  others: readonly string[] = [],
): AsyncGenerator<ListedUser> {
  const { after = '' } = filter;
  const further = others.filter((id) => id > after);
  let next = 0;
  for await (const user of knownUsers(storage, after)) {
    for (; next < further.length && (further[next] ?? '') <= user.user_id; next += 1) {
      const other = further[next] ?? '';
      if (other !== user.user_id && fits(unseen(other), filter)) yield unseen(other);
    }
    if (fits(user, filter)) yield user;
  }
  yield* further
    .slice(next)
    .map(unseen)
    .filter((user) => fits(user, filter));
}

async function* knownUsers(storage: Pick<Driver, 'read'>, first: string): AsyncGenerator<ListedUser> {
  for (let after = first; ; ) {
    const rows = await storage.read(listKnownUsers(after, LANE_RULES.shutAt, READ_AT_ONCE));
    const [from, to] = [rows[0]?.userId, rows.at(-1)?.userId];
    if (from === undefined || to === undefined) return;
    const counts = new Map<string, Record<string, number>>();
    for (const { userId, kind, count } of await storage.read(countKinds(from, to))) {
      counts.set(userId, { ...counts.get(userId), [kind]: count });
    }
    for (const row of rows) yield listed(row, counts.get(row.userId) ?? {});
    after = to;
  }
}

function listed(row: KnownUserRow, factors: Readonly<Record<string, number>>): ListedUser {
  const authenticators = Object.values(factors).reduce((sum, count) => sum + count, 0);
  return {
    user_id: row.userId,
    enabled: authenticators > 0,
    authenticators,
    factors,
    recovery_codes_remaining: row.codesLeft,
    last_used_at: row.lastUsedAt,
    first_seen_at: row.firstSeenAt,
    last_seen_at: row.lastSeenAt,
    locked: row.locked === 1,
  };
}

function unseen(userId: string): ListedUser {
  const row = { userId, codesLeft: 0, lastUsedAt: null, locked: 0, firstSeenAt: null, lastSeenAt: null };
  return listed(row, {});
}

function fits(user: ListedUser, { enabled, noCodes, locked, factor, search }: UserFilter): boolean {
  if (enabled !== undefined && user.enabled !== enabled) return false;
  if (noCodes === true && !(user.enabled && user.recovery_codes_remaining === 0)) return false;
  if (locked === true && !user.locked) return false;
  if (factor !== undefined && (user.factors[factor] ?? 0) === 0) return false;
  return search === undefined || user.user_id.toLowerCase().includes(search.toLowerCase());
}
