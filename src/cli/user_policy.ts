import { Argument, Command } from 'commander';
import type { Audit } from '../audit/audit.ts';
import type { Config, Grace } from '../config/config.ts';
import { POLICY_MODES, type PolicyMode } from '../config/settings.ts';
import { BadValue, parseGrace } from '../config/values.ts';
import { changePolicy } from '../policy/change_policy.ts';
import type { KnownPolicy } from '../policy/known_policy.ts';
import { Policies } from '../policy/policies.ts';
import type { Storage } from '../storage/storage.ts';
import { UsageError } from './failures.ts';
import { requireText } from './grounds.ts';
import { requireKnownUser, unseenOption } from './known_user.ts';
import { operatorAudit } from './operator_audit.ts';
import { configFrom, configOption, jsonOption, requireUserId } from './options.ts';
import { withStore } from './store.ts';
import type { Surroundings } from './surroundings.ts';
import { jsonLines, moment } from './text.ts';

interface PolicyOptions {
  readonly config?: string;
  readonly grace?: string;
  readonly reason?: string;
  readonly unseen?: true;
  readonly json?: true;
}

type Mode = PolicyMode | 'inherit';

/** `user policy`: sets what is asked of one user, or shows it with what each part is from. */
export function userPolicyCommand(surroundings: Surroundings): Command {
  return new Command('policy')
    .description('show or set whether a user must have two-factor authentication')
    .argument('<user-id>', 'in full, as in @bob:example.org')
    .addArgument(
      new Argument('[mode]', 'without it nothing is changed; inherit: what the configuration says').choices([
        ...POLICY_MODES,
        'inherit',
      ]),
    )
    .option('--grace <time>', 'how long they have from their next sign-in, as in 7d; or a date')
    .option('--reason <text>', 'why; kept in the audit')
    .addOption(unseenOption())
    .addOption(configOption())
    .addOption(jsonOption())
    .action((userId: string, mode: Mode | undefined, { reason, ...options }: PolicyOptions) => {
      const given = reason === undefined ? {} : { reason: requireText('--reason', reason) };
      return showOrSet(requireUserId(userId), mode, { ...options, ...given }, surroundings);
    });
}

async function showOrSet(
  userId: string,
  mode: Mode | undefined,
  options: PolicyOptions,
  surroundings: Surroundings,
): Promise<void> {
  const grace = graceIn(options.grace);
  const isChange = mode !== undefined || grace !== undefined;
  if (!isChange && options.reason !== undefined)
    throw new UsageError('--reason is for a change: name a mode');
  if (mode === 'inherit' && grace !== undefined)
    throw new UsageError('inherit takes the grace back: leave --grace out');
  const config = configFrom(options.config, surroundings);
  await withStore(config, surroundings, async (storage) => {
    await requireKnownUser(storage, userId, options.unseen);
    const audit = await operatorAudit(config, storage, surroundings);
    if (isChange) await changePolicy({ storage, audit }, userId, { mode, grace, reason: options.reason });
    const known = await knownPolicy(storage, audit, config, userId);
    surroundings.out(...(options.json === true ? jsonLines(asJson(userId, known)) : asLines(userId, known)));
  });
}

function knownPolicy(storage: Storage, audit: Audit, config: Config, userId: string): Promise<KnownPolicy> {
  return new Policies({ storage, audit }, () => config.policy).known(userId);
}

function graceIn(written: string | undefined): Grace | undefined {
  try {
    return written === undefined ? undefined : parseGrace(written);
  } catch (error) {
    if (error instanceof BadValue) throw new UsageError(`--grace ${error.message}`);
    throw error;
  }
}

/** Each key with its value, for programs, and what it is from. */
function asJson(userId: string, { policy, requiredSince, deadlineTs }: KnownPolicy) {
  return {
    user_id: userId,
    policy: policy.mode,
    grace: { value: graceText(policy.grace.value), source: policy.grace.source },
    after_grace: policy.afterGrace,
    factors: { value: policy.factors.value ?? null, source: policy.factors.source },
    recovery_codes: policy.recoveryCodes,
    recovery_codes_for_changes: policy.codesForChanges,
    account_recovery: policy.accountRecovery,
    device_passwords: policy.devicePasswords,
    required_since: requiredSince,
    deadline_ts: deadlineTs,
  };
}

function asLines(userId: string, known: KnownPolicy): string[] {
  const { policy, requiredSince, deadlineTs } = known;
  const line = (name: string, value: unknown, source: string) => `  ${name}: ${value} (${source})`;
  const {
    mode,
    grace,
    afterGrace,
    factors,
    recoveryCodes,
    codesForChanges,
    accountRecovery,
    devicePasswords,
  } = policy;
  return [
    userId,
    line('policy', mode.value, mode.source),
    line('grace', graceText(grace.value), grace.source),
    line('after_grace', afterGrace.value, afterGrace.source),
    line('factors', factors.value?.join(', ') ?? 'all', factors.source),
    line('recovery codes', recoveryCodes.value, recoveryCodes.source),
    line(
      'recovery codes for changes',
      codesForChanges.value === false ? 'no' : 'yes',
      codesForChanges.source,
    ),
    line('account recovery', accountRecovery.value, accountRecovery.source),
    line('device passwords', devicePasswords.value, devicePasswords.source),
    ...(requiredSince === null ? [] : [`  required since ${moment(requiredSince)}`]),
    ...(deadlineTs === null ? [] : [`  to be set up until ${moment(deadlineTs)}`]),
  ];
}

function graceText(grace: Grace | undefined): string {
  if (grace === undefined) return '0s';
  return 'until' in grace ? new Date(grace.until).toISOString().slice(0, 10) : `${grace.durationMs / 1000}s`;
}
