import type { PolicyConfig, PolicyRule } from '../config/config.ts';
import { parseUserId } from '../matrix/user_id.ts';

/** Every key of a rule with its value, and what it is from. */
export type AppliedPolicy = { readonly [Key in keyof PolicyRule]-?: Applied<PolicyRule[Key]> };

interface Applied<Value> {
  readonly value: Value;
  /** `database`, `users`, `administrators`, `group:<name>` or `default`. */
  readonly source: string;
}

/** What one source says of a user. */
export interface Source {
  readonly name: string;
  readonly rule: PolicyRule;
}

/** Whom a policy is for, as far as it matters to it. */
export interface Subject {
  readonly userId: string;
  readonly isAdministrator: boolean;
  /** What was set by command. */
  readonly stored: PolicyRule;
}

/** The sources that speak of a user, those first that count first; the last has every key. */
export function sourcesFor(config: PolicyConfig, { userId, isAdministrator, stored }: Subject): Source[] {
  const group = config.groups.find(({ members }) => members.some((member) => matches(member, userId)));
  const sources: (Source | undefined)[] = [
    { name: 'database', rule: stored },
    { name: 'users', rule: config.users[userId] ?? {} },
    isAdministrator ? { name: 'administrators', rule: config.administrators.rule } : undefined,
    group && { name: `group:${group.name}`, rule: group.rule },
    { name: 'default', rule: config.default },
  ];
  return sources.filter((source) => source !== undefined);
}

/** What holds: of each key the value of the first source that has it. */
export function applied(sources: readonly Source[]): AppliedPolicy {
  const first = <Key extends keyof PolicyRule>(key: Key): Applied<PolicyRule[Key]> => {
    const found = sources.find(({ rule }) => rule[key] !== undefined);
    return { value: found?.rule[key], source: found?.name ?? 'default' };
  };
  return {
    mode: first('mode'),
    grace: first('grace'),
    afterGrace: first('afterGrace'),
    factors: first('factors'),
    recoveryCodes: first('recoveryCodes'),
    codesForChanges: first('codesForChanges'),
  };
}

/** Whether a user id, in which `*` stands for any characters of the local part, is that of this user. */
export function matches(pattern: string, userId: string): boolean {
  if (!pattern.includes('*')) return pattern === userId;
  const [wanted, user] = [parseUserId(pattern), parseUserId(userId)];
  if (wanted === undefined || user === undefined || wanted.server !== user.server) return false;
  return fits(wanted.localpart.split('*'), user.localpart);
}

/** Whether a text begins with the first part, ends with the last, and has the others between them, in order. */
export function fits(parts: readonly string[], text: string): boolean {
  const [first = '', ...rest] = parts;
  const last = rest.pop();
  if (last === undefined) return text === first;
  if (!text.startsWith(first)) return false;
  let from = first.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return text.length - last.length >= from && text.endsWith(last);
}
