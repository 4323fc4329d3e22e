import { Command } from 'commander';
import { LANE_RULES } from '../limits/throttle.ts';
import type { Storage } from '../storage/storage.ts';
import { lanesOf } from '../storage/tables/lanes.ts';
import { requireKnownUser } from './known_user.ts';
import { configFrom, configOption, jsonOption, requireUserId } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { counted, jsonLines, moment } from './text.ts';

/** As much of a user as an operator needs to help; nothing secret. Times in ms. */
interface ShownUser {
  readonly user_id: string;
  readonly enabled: boolean;
  readonly authenticators: readonly {
    readonly id: string;
    readonly name: string;
    readonly enabled_at: number;
    readonly last_used_at: number | null;
  }[];
  readonly recovery: {
    readonly remaining: number;
    readonly total: number;
    readonly generated_at: number;
  } | null;
  /** No code of an authenticator is looked at by one of the lanes, until it is opened. */
  readonly locked: boolean;
  readonly lanes: readonly {
    readonly lane: string;
    readonly failures: number;
    readonly wait_until: number;
    readonly shut: boolean;
  }[];
  readonly held_logins: number;
}

/** `user show`: the state of one user's second factor. */
export function userShowCommand(surroundings: Surroundings): Command {
  return new Command('show')
    .description("show the state of a user's second factor")
    .argument('<user-id>', 'in full, as in @bob:example.org')
    .addOption(configOption())
    .addOption(jsonOption())
    .action(async (text: string, { config: asked, json }: { config?: string; json?: boolean }) => {
      const userId = requireUserId(text);
      const now = surroundings.clock.now();
      const user = await withStore(configFrom(asked, surroundings), surroundings, async (store) => {
        await requireKnownUser(store, userId);
        return lookUp(store, userId);
      });
      surroundings.out(...(json === true ? jsonLines(user) : asLines(user, now)));
    });
}

async function lookUp({ factors, holds, read }: Storage, userId: string): Promise<ShownUser> {
  const authenticators = await factors.authenticators(userId);
  const recovery = await factors.recoverySet(userId);
  const lanes = (await read(lanesOf(userId))).map(({ lane, failures, waitUntil }) => ({
    lane,
    failures,
    wait_until: waitUntil,
    shut: failures >= LANE_RULES.shutAt,
  }));
  return {
    user_id: userId,
    enabled: authenticators.length > 0,
    authenticators: authenticators.map(({ id, name, enabledAt, lastUsedAt }) => ({
      id,
      name,
      enabled_at: enabledAt,
      last_used_at: lastUsedAt,
    })),
    recovery:
      recovery === undefined
        ? null
        : {
            remaining: recovery.codes.filter(({ usedAt }) => usedAt === null).length,
            total: recovery.codes.length,
            generated_at: recovery.generatedAt,
          },
    locked: lanes.some(({ shut }) => shut),
    lanes,
    held_logins: await holds.countForUser(userId),
  };
}

function asLines(user: ShownUser, now: number): string[] {
  return [
    `${user.user_id}: two-factor authentication is ${user.enabled ? 'on' : 'off'}`,
    ...user.authenticators.map(
      ({ id, name, enabled_at, last_used_at }) =>
        `  authenticator "${name}" (${id}), since ${moment(enabled_at)}, ` +
        (last_used_at === null ? 'never used' : `last used ${moment(last_used_at)}`),
    ),
    ...recoveryLines(user),
    ...user.lanes.filter(({ failures }) => failures > 0).map((lane) => laneLine(lane, now)),
    ...(user.held_logins > 0 ? [`  ${counted(user.held_logins, 'sign-in')} waiting for a code`] : []),
  ];
}

function recoveryLines({ enabled, recovery }: ShownUser): string[] {
  if (!enabled) return [];
  if (recovery === null) return ['  no recovery codes'];
  return [
    `  recovery codes: ${recovery.remaining} of ${recovery.total}, made ${moment(recovery.generated_at)}`,
  ];
}

function laneLine({ lane, failures, wait_until, shut }: ShownUser['lanes'][number], now: number): string {
  const wait = wait_until > now ? `; waits until ${moment(wait_until)}` : '';
  return `  ${counted(failures, 'wrong code')} in a row (${lane})${shut ? '; locked' : wait}`;
}
