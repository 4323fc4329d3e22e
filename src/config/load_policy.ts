import { parseUserId } from '../matrix/user_id.ts';
import { type Config, ConfigError, type PolicyConfig, type PolicyRule } from './config.ts';
import type { RuleSettings, Settings } from './settings.ts';
import type { SettingPath } from './source.ts';
import { BadValue, parseGrace, textOf } from './values.ts';

type PolicySettings = Settings['policy'];

/** How this part of a configuration is read. */
interface PolicyReader {
  /** Runs `read`; a value that it refuses is refused by the name of the setting. */
  at<T>(path: SettingPath, read: () => T): T;
  absolute(path: string): string;
  /** Whether the operator has passkeys on. */
  readonly hasWebauthn: boolean;
  readonly enrolsWithoutPassword: boolean;
}

/** The section `policy` in values. @throws ConfigError */
export function policyFrom(
  settings: PolicySettings,
  registrationGraceMs: number,
  reader: PolicyReader,
): PolicyConfig {
  const { default: mode, users = {}, administrators = {}, groups = [] } = settings;
  requireOneName(groups, reader);
  const policy = {
    default: ruleFrom({ ...settings, policy: mode }, ['policy'], reader),
    users: Object.fromEntries(
      Object.entries(users).map(([userId, written]) => {
        const path = ['policy', 'users', userId];
        reader.at(path, () => requireUserId(userId));
        return [userId, typeof written === 'string' ? { mode: written } : ruleFrom(written, path, reader)];
      }),
    ),
    administrators: {
      rule: ruleFrom(administrators, ['policy', 'administrators'], reader),
      members: membersFrom(administrators.members, ['policy', 'administrators', 'members'], reader),
      detect: administrators.detect ?? true,
    },
    groups: groups.map((group, index) => {
      const path = ['policy', 'groups', index];
      const listed = membersFrom(group.members, [...path, 'members'], reader);
      const inFile = reader.at([...path, 'members_file'], () =>
        group.members_file === undefined ? [] : membersIn(reader.absolute(group.members_file)),
      );
      return { name: group.name, members: [...listed, ...inFile], rule: ruleFrom(group, path, reader) };
    }),
    registrationGraceMs,
  };
  const blocksSessions = rulesIn(policy).some(({ afterGrace }) => afterGrace === 'block');
  return { ...policy, blocksSessions, enrolsWithoutPassword: reader.enrolsWithoutPassword };
}

/** Every rule of a policy. */
function rulesIn({
  default: usual,
  administrators,
  users,
  groups,
}: Pick<PolicyConfig, 'default' | 'administrators' | 'users' | 'groups'>): readonly PolicyRule[] {
  return [usual, administrators.rule, ...Object.values(users), ...groups.map(({ rule }) => rule)];
}

/**
 * The policy of a configuration that is read again, as a process can keep it that goes on with all that needs a restart.
 * @param atStart the configuration that it was started with
 * @throws ConfigError where users who must set a factor up could set up none until it is restarted
 */
export function policyAfterReload(
  { policy }: Pick<Config, 'policy'>,
  atStart: Pick<Config, 'policy' | 'webauthn'>,
): PolicyConfig {
  if (atStart.webauthn === undefined && rulesIn(policy).some(namesOnlyWebauthn)) {
    throw new ConfigError('policy: factors names only webauthn, which is off until a restart');
  }
  return { ...policy, enrolsWithoutPassword: atStart.policy.enrolsWithoutPassword };
}

function ruleFrom(written: RuleSettings, path: SettingPath, { at, hasWebauthn }: PolicyReader): PolicyRule {
  const { policy: mode, grace, after_grace: afterGrace, factors, recovery, device_passwords } = written;
  const rule: PolicyRule = {
    mode,
    grace: grace === undefined ? undefined : at([...path, 'grace'], () => parseGrace(grace)),
    afterGrace,
    factors: at([...path, 'factors'], () => requireOneOn(factors, hasWebauthn)),
    recoveryCodes: recovery?.codes,
    codesForChanges: recovery?.codes_for_changes,
    accountRecovery: recovery?.account_recovery,
    devicePasswords: device_passwords,
  };
  // What is left out is not there, so that it can be told by its key.
  return Object.fromEntries(Object.entries(rule).filter(([, value]) => value !== undefined));
}

/** Where none of them is on, a user who must set one up could not get in. */
function requireOneOn(factors: RuleSettings['factors'], hasWebauthn: boolean): RuleSettings['factors'] {
  if (factors?.length === 0) {
    throw new BadValue(
      'names none: leave it out for all that there are; policy: forbidden is for those who may set up none',
    );
  }
  if (!hasWebauthn && namesOnlyWebauthn({ factors })) {
    throw new BadValue(
      'names only webauthn, which is off (webauthn.enabled, or public_base_url has an IP address)',
    );
  }
  return factors;
}

function namesOnlyWebauthn({ factors = [] }: Pick<PolicyRule, 'factors'>): boolean {
  return factors.length > 0 && factors.every((kind) => kind === 'webauthn');
}

function requireOneName(groups: readonly { readonly name: string }[], { at }: PolicyReader): void {
  groups.forEach(({ name }, index) => {
    at(['policy', 'groups', index, 'name'], () => {
      if (groups.findIndex((other) => other.name === name) < index) {
        throw new BadValue(`there is another group "${name}"`);
      }
    });
  });
}

function membersFrom(
  written: readonly string[] | undefined,
  path: SettingPath,
  { at }: PolicyReader,
): string[] {
  return (written ?? []).map((pattern, index) => at([...path, index], () => requirePattern(pattern)));
}

/** One a line; empty lines and those that begin with `#` say nothing. */
function membersIn(file: string): string[] {
  const lines = textOf(file).split('\n');
  return lines.flatMap((line, index) => {
    const pattern = line.trim();
    if (pattern === '' || pattern.startsWith('#')) return [];
    if (!isPattern(pattern)) throw new BadValue(`${file}:${index + 1}: "${pattern}" is not a user id`);
    return [pattern];
  });
}

function requirePattern(text: string): string {
  if (!isPattern(text)) throw new BadValue(`"${text}" is not a user id such as @staff-*:example.org`);
  return text;
}

function requireUserId(text: string): void {
  if (!isPattern(text) || text.includes('*')) throw new BadValue('is not a user id such as @bob:example.org');
}

/** A user id; `*` in its local part only, and nothing in it that no user id has. */
function isPattern(text: string): boolean {
  const parts = parseUserId(text);
  return parts !== undefined && !parts.server.includes('*') && !/[\s\p{Cc}]/u.test(text);
}
