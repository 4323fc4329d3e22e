import type { PolicyConfig } from '../config/config.ts';
import type { PolicyMode } from '../config/settings.ts';
import { LANE_RULES } from '../limits/throttle.ts';
import { type ListedPolicy, listedPolicy } from '../policy/listed_policy.ts';
import type { Driver } from '../storage/statement.ts';
import { countKinds, type KnownUserRow, listKnownUsers } from '../storage/tables/known_users.ts';
import { listPolicies, type PolicyRow } from '../storage/tables/policies.ts';

const READ_AT_ONCE = 500;

/** A user as lists show them. Times in ms. */
export interface ListedUser extends ListedPolicy {
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
  /** What the policy asks of them. */
  readonly policy?: PolicyMode | undefined;
  readonly inGrace?: boolean | undefined;
  /** Whether they have to set up a second factor before their next sign-in. */
  readonly overdue?: boolean | undefined;
  /** Behind this id. */
  readonly after?: string | undefined;
}

/** What lists are made of. */
export interface ListingDeps {
  readonly storage: Pick<Driver, 'read'>;
  readonly policy: PolicyConfig;
  /** The time of the list, in ms since the epoch. */
  readonly now: number;
}

/**
 * Users by id: those who were seen or have 2FA on, and `others`, which the homeserver named.
 * @param others sorted
 */
export async function* listUsers(
  deps: ListingDeps,
  filter: UserFilter,
  others: readonly string[] = [],
): AsyncGenerator<ListedUser> {
  const { after = '' } = filter;
  const unseen = (userId: string) => listed(deps, { ...UNSEEN, userId }, {}, undefined);
  const further = others.filter((id) => id > after);
  let next = 0;
  for await (const user of knownUsers(deps, after)) {
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

async function* knownUsers(deps: ListingDeps, first: string): AsyncGenerator<ListedUser> {
  const { storage } = deps;
  for (let after = first; ; ) {
    const rows = await storage.read(listKnownUsers(after, LANE_RULES.shutAt, READ_AT_ONCE));
    const [from, to] = [rows[0]?.userId, rows.at(-1)?.userId];
    if (from === undefined || to === undefined) return;
    const counts = new Map<string, Record<string, number>>();
    for (const { userId, kind, count } of await storage.read(countKinds(from, to))) {
      counts.set(userId, { ...counts.get(userId), [kind]: count });
    }
    const policies = new Map((await storage.read(listPolicies(from, to))).map((row) => [row.userId, row]));
    for (const row of rows) {
      yield listed(deps, row, counts.get(row.userId) ?? {}, policies.get(row.userId));
    }
    after = to;
  }
}

function listed(
  { policy, now }: ListingDeps,
  row: KnownUserRow,
  factors: Readonly<Record<string, number>>,
  ofPolicy: PolicyRow | undefined,
): ListedUser {
  const { userId } = row;
  const authenticators = Object.values(factors).reduce((sum, count) => sum + count, 0);
  const enabled = authenticators > 0;
  return {
    user_id: userId,
    enabled,
    authenticators,
    factors,
    recovery_codes_remaining: row.codesLeft,
    last_used_at: row.lastUsedAt,
    first_seen_at: row.firstSeenAt,
    last_seen_at: row.lastSeenAt,
    locked: row.locked === 1,
    ...listedPolicy(policy, { userId, enabled, row: ofPolicy }, now),
  };
}

const UNSEEN = { codesLeft: 0, lastUsedAt: null, locked: 0, firstSeenAt: null, lastSeenAt: null };

function fits(user: ListedUser, filter: UserFilter): boolean {
  const { enabled, noCodes, locked, factor, search } = filter;
  if (!fitsPolicy(user, filter)) return false;
  if (enabled !== undefined && user.enabled !== enabled) return false;
  if (noCodes === true && !(user.enabled && user.recovery_codes_remaining === 0)) return false;
  if (locked === true && !user.locked) return false;
  if (factor !== undefined && (user.factors[factor] ?? 0) === 0) return false;
  return search === undefined || user.user_id.toLowerCase().includes(search.toLowerCase());
}

function fitsPolicy({ policy, standing }: ListedUser, filter: UserFilter): boolean {
  if (filter.policy !== undefined && policy !== filter.policy) return false;
  if (filter.inGrace === true && standing !== 'in_grace') return false;
  return filter.overdue !== true || standing === 'owes_enrolment';
}
