import { Command } from 'commander';
import { type ShownUser, showUser } from '../rescue/shown_users.ts';
import { requireKnownUser } from './known_user.ts';
import { configFrom, configOption, jsonOption, requireUserId } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { counted, jsonLines, moment } from './text.ts';

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
      const config = configFrom(asked, surroundings);
      const user = await withStore(config, surroundings, async (store) => {
        await requireKnownUser(store, userId);
        return showUser(store, userId, config.policy);
      });
      surroundings.out(...(json === true ? jsonLines(user) : asLines(user, now)));
    });
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
    `  policy: ${policyText(user)}`,
    ...user.lanes.filter(({ failures }) => failures > 0).map((lane) => laneLine(lane, now)),
    ...user.device_passwords.map(
      ({ name, id, device_id, last_used_at, last_used_address }) =>
        `  device password "${name}" (${id}), device ${device_id}, ` +
        (last_used_at === null
          ? 'never used'
          : `last used ${moment(last_used_at)} from ${last_used_address}`),
    ),
    ...user.oauth_sessions.map(
      ({ client_id, device_id, created_at, last_used_at }) =>
        `  app ${client_id} by OAuth, device ${device_id}, since ${moment(created_at)}, ` +
        `last refreshed ${moment(last_used_at)}`,
    ),
    ...(user.recovery_request === null
      ? []
      : [
          `  account recovery: ${user.recovery_request.state}, begun ${moment(user.recovery_request.begun_at)}`,
        ]),
    ...(user.held_logins > 0 ? [`  ${counted(user.held_logins, 'sign-in')} waiting for a code`] : []),
  ];
}

/** What is asked of the user, what says so, and where they stand. */
function policyText({ policy, policy_source: source, standing, deadline_ts: deadline }: ShownUser): string {
  const from = source === 'default' ? '' : ` (${source})`;
  const asked = `${policy}${from}`;
  if (standing === 'owes_enrolment') return `${asked}; overdue: the next sign-in asks for a set-up`;
  if (standing === 'cannot_enrol') return `${asked}; cannot set it up here`;
  if (standing !== 'in_grace') return asked;
  return deadline === null ? `${asked}; grace not begun` : `${asked}; in grace until ${moment(deadline)}`;
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
