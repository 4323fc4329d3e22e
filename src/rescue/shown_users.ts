import type { PolicyConfig } from '../config/config.ts';
import { LANE_RULES } from '../limits/throttle.ts';
import { type ListedPolicy, listedPolicy } from '../policy/listed_policy.ts';
import type { Storage } from '../storage/storage.ts';
import { type DevicePassword, listDevicePasswords } from '../storage/tables/device_passwords.ts';
import { lanesOf } from '../storage/tables/lanes.ts';
import { listOauthSessions, type OauthSession } from '../storage/tables/oauth_sessions.ts';
import { findPolicy } from '../storage/tables/policies.ts';
import { findRunningRecovery } from '../storage/tables/recovery_requests.ts';
import { codesLeftIn, type RecoverySet } from '../storage/tables/recovery_sets.ts';

/** As much of a user as an operator needs to help; nothing secret. Times in ms. */
export interface ShownUser extends ListedPolicy {
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
  /** The recovery of the account that runs. */
  readonly recovery_request: { readonly state: string; readonly begun_at: number } | null;
  readonly device_passwords: readonly {
    readonly id: string;
    readonly name: string;
    readonly device_id: string;
    readonly created_at: number;
    readonly last_used_at: number | null;
    readonly last_used_address: string | null;
  }[];
  /** Apps that are signed in by OAuth. Without the id of the session, which its refresh tokens hold. */
  readonly oauth_sessions: readonly {
    readonly client_id: string;
    readonly device_id: string;
    readonly created_at: number;
    readonly last_used_at: number;
  }[];
}

/** The state of one user. */
export async function showUser(
  { factors, holds, read }: Storage,
  userId: string,
  policy: PolicyConfig,
): Promise<ShownUser> {
  const authenticators = await factors.authenticators(userId);
  const enabled = authenticators.length > 0;
  const [row] = await read(findPolicy(userId));
  const [running] = await read(findRunningRecovery(userId));
  const recovery = await factors.recoverySet(userId);
  const lanes = (await read(lanesOf(userId))).map(({ lane, failures, waitUntil }) => ({
    lane,
    failures,
    wait_until: waitUntil,
    shut: failures >= LANE_RULES.shutAt,
  }));
  return {
    user_id: userId,
    enabled,
    authenticators: authenticators.map(({ id, name, enabledAt, lastUsedAt }) => ({
      id,
      name,
      enabled_at: enabledAt,
      last_used_at: lastUsedAt,
    })),
    recovery: recovery === undefined ? null : shownSet(recovery),
    locked: lanes.some(({ shut }) => shut),
    lanes,
    held_logins: await holds.countForUser(userId),
    recovery_request: running === undefined ? null : { state: running.state, begun_at: running.begunAt },
    device_passwords: (await read(listDevicePasswords(userId))).map(shownDevicePassword),
    oauth_sessions: (await read(listOauthSessions(userId))).map(shownSession),
    ...listedPolicy(policy, { userId, enabled, row }, row?.now ?? 0),
  };
}

function shownSet(set: RecoverySet): ShownUser['recovery'] {
  return { remaining: codesLeftIn(set), total: set.codes.length, generated_at: set.generatedAt };
}

function shownDevicePassword(each: DevicePassword): ShownUser['device_passwords'][number] {
  return {
    id: each.id,
    name: each.name,
    device_id: each.deviceId,
    created_at: each.createdAt,
    last_used_at: each.lastUsedAt,
    last_used_address: each.lastUsedAddress,
  };
}

function shownSession(each: OauthSession): ShownUser['oauth_sessions'][number] {
  return {
    client_id: each.clientId,
    device_id: each.deviceId,
    created_at: each.createdAt,
    last_used_at: each.usedAt,
  };
}
