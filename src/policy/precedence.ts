import type { PolicyConfig, PolicyRule } from '../config/config.ts';
import { foldLocalpart, parseUserId } from '../matrix/user_id.ts';

/** Every key of a rule with its value, and the source of that. */
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

/** The user whom a policy is for: what its rules look at. */
export interface Subject {
  readonly userId: string;
  readonly isAdministrator: boolean;
  /** What was set by command. */
  readonly stored: PolicyRule;
}

/** The sources that speak of a user, those first that count first; the last has every key. */
export function sourcesFor(config: PolicyConfig, { userId, isAdministrator, stored }: Subject): Source[] {
  const group = config.groups.find(({ members }) => Members.of(members).has(userId));
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
    accountRecovery: first('accountRecovery'),
    devicePasswords: first('devicePasswords'),
  };
}

/** A pattern with `*`, cut at each. */
interface CutPattern {
  readonly server: string;
  readonly parts: readonly string[];
  readonly foldedParts: readonly string[];
}

/** Lists may be long: what each sign-in looks up is made of a list once. */
const MADE = new WeakMap<readonly string[], Members>();

/** Whom a list names: user ids, in which `*` stands for any characters of the local part. */
export class Members {
  private readonly ids: ReadonlySet<string>;
  private readonly names: ReadonlySet<string>;
  private readonly patterns: readonly CutPattern[];

  static of(list: readonly string[]): Members {
    const made = MADE.get(list) ?? new Members(list);
    MADE.set(list, made);
    return made;
  }

  private constructor(list: readonly string[]) {
    this.ids = new Set(list.filter((each) => !each.includes('*')));
    this.names = new Set([...this.ids].map(foldLocalpart));
    this.patterns = list.filter((each) => each.includes('*')).flatMap(cut);
  }

  has(userId: string): boolean {
    if (this.ids.has(userId)) return true;
    if (this.patterns.length === 0) return false;
    const user = parseUserId(userId);
    return (
      user !== undefined &&
      this.patterns.some(({ server, parts }) => server === user.server && fits(parts, user.localpart))
    );
  }

  /** Whether one of the list could be meant by this folded name: a hint (R5), never the decision. */
  mayMean(name: string): boolean {
    return this.names.has(name) || this.patterns.some(({ foldedParts }) => fits(foldedParts, name));
  }
}

function cut(pattern: string): CutPattern[] {
  const { localpart, server } = parseUserId(pattern) ?? {};
  if (localpart === undefined || server === undefined) return [];
  const parts = localpart.split('*');
  return [{ server, parts, foldedParts: parts.map(foldLocalpart) }];
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
