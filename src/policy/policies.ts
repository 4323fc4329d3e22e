import type { Audit } from '../audit/audit.ts';
import type { PolicyConfig, PolicyRule } from '../config/config.ts';
import { foldLocalpart } from '../matrix/user_id.ts';
import { when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  beginGrace,
  type FoundPolicy,
  findAnyRequired,
  findPolicy,
  listMayOwe,
  rememberAdministrator,
  rememberExemption,
  rememberRegistration,
} from '../storage/tables/policies.ts';
import {
  appliedTo,
  deadlineOf,
  exemptionIn,
  isNamedAdministrator,
  type KnownPolicy,
  knownPolicy,
  reminderStage,
} from './known_policy.ts';
import { type AppliedPolicy, Members } from './precedence.ts';

/** What can be asked about a user: the homeserver, with a token of theirs. */
export interface Witness {
  /** Undefined if it did not say. */
  isAdministrator(): Promise<boolean | undefined>;
  /** Why the user cannot set up a second factor; null if they can. */
  exemption(): Promise<FoundPolicy['exempt']>;
  /** At a sign-in the homeserver is asked each time who its administrators are; else once. */
  readonly isSignIn: boolean;
}

/** What is asked of a user who has no second factor. */
export type EnrolmentDue =
  | { readonly is: 'not_due'; readonly standing: 'passes' | 'may_not_enrol' | 'cannot_enrol' }
  | { readonly is: 'in_grace'; readonly deadlineTs: number }
  | { readonly is: 'due'; readonly deadlineTs: number; readonly version: number };

/** The operator's policy: what it says of a user, and since when. */
export class Policies {
  constructor(
    private readonly deps: { readonly storage: Storage; readonly audit: Audit },
    /** As it is now: it is read again while the program runs. */
    private readonly config: () => PolicyConfig,
  ) {}

  /** What holds for a user. */
  async of(userId: string): Promise<AppliedPolicy> {
    return this.applied(userId, await this.find(userId));
  }

  /** The same for people to look at: it begins no grace. */
  async known(userId: string): Promise<KnownPolicy> {
    const found = await this.find(userId);
    return knownPolicy(this.config(), userId, found);
  }

  /**
   * What is asked of a user who has no second factor. The first sight of them under the requirement begins their grace.
   * @param witness who can be asked; without one the last known answers count
   */
  async dueFor(userId: string, witness?: Witness): Promise<EnrolmentDue> {
    const found = await this.witnessed(userId, await this.find(userId), witness);
    const policy = this.applied(userId, found);
    const mode = policy.mode.value;
    if (mode !== 'required') {
      return { is: 'not_due', standing: mode === 'forbidden' ? 'may_not_enrol' : 'passes' };
    }
    const isFirst = found.requiredSince === null;
    const exempt = isFirst ? await this.exemption(userId, found, witness) : undefined;
    const seen = isFirst ? await this.firstSight(userId, { ...found, exempt: exempt ?? null }) : found;
    const deadlineTs = deadlineOf(this.config(), policy, seen);
    if (seen.now < deadlineTs) return { is: 'in_grace', deadlineTs };
    if ((exempt === undefined ? await this.exemption(userId, seen, witness) : exempt) !== null)
      return { is: 'not_due', standing: 'cannot_enrol' };
    return { is: 'due', deadlineTs, version: seen.version };
  }

  /**
   * The policy also says what those may do who have a second factor: who of them administers the homeserver is asked as
   * of everyone. Without its word they count as administrators, and a rule for these may take their recovery codes.
   */
  async learnOf(userId: string, witness: Witness): Promise<void> {
    if (this.asksWhoAdministers()) await this.witnessed(userId, await this.find(userId), witness);
  }

  /** Whether the operator lets a user have recovery codes. Where no rule takes them from anyone, no user is looked up. */
  async mayHaveCodes(userId: string): Promise<boolean> {
    if (rulesOf(this.config()).every(({ recoveryCodes }) => recoveryCodes !== 'off')) return true;
    return (await this.of(userId)).recoveryCodes.value !== 'off';
  }

  /** A new account, which has a grace of its own. */
  async registered(userId: string): Promise<void> {
    if (!mayRequire(this.config())) return;
    await this.deps.storage.commit([userId], rememberRegistration(userId));
  }

  /** Whether someone of one of these names has a second factor, or may have to set one up: a hint (R5), never the decision. */
  async mayOwe(foldedNames: readonly string[]): Promise<boolean> {
    const stored = await this.deps.storage.read(listMayOwe(foldedNames));
    const config = this.config();
    return (
      stored.some(({ userId }) => foldedNames.includes(foldLocalpart(userId))) ||
      foldedNames.some((name) => mayRequireOf(config, name))
    );
  }

  /** Whether anyone may have to set up a second factor. */
  async mayRequireOfAnyone(): Promise<boolean> {
    return mayRequire(this.config()) || (await this.deps.storage.read(findAnyRequired())).length > 0;
  }

  private async find(userId: string): Promise<FoundPolicy> {
    const [found] = await this.deps.storage.read(findPolicy(userId));
    if (found === undefined) throw new Error('the question for a policy has no answer');
    return found;
  }

  private applied(userId: string, found: FoundPolicy): AppliedPolicy {
    return appliedTo(this.config(), userId, found);
  }

  private asksWhoAdministers(): boolean {
    const { detect, rule } = this.config().administrators;
    return detect && Object.keys(rule).length > 0;
  }

  /** Asks the homeserver whether the user is an administrator, where that matters. */
  private async witnessed(userId: string, found: FoundPolicy, witness?: Witness): Promise<FoundPolicy> {
    if (witness === undefined || !this.asksWhoAdministers()) return found;
    if (isNamedAdministrator(this.config(), userId)) return found;
    if (!witness.isSignIn && found.isAdministrator !== null) return found;
    const is = await witness.isAdministrator();
    if (is === undefined || Number(is) === found.isAdministrator) return found;
    await this.deps.storage.commit([userId], rememberAdministrator(userId, is));
    return { ...found, isAdministrator: is ? 1 : 0 };
  }

  private async firstSight(userId: string, found: FoundPolicy): Promise<FoundPolicy> {
    const { now, exempt } = found;
    const seen = { ...found, requiredSince: now };
    const deadlineTs = deadlineOf(this.config(), this.applied(userId, seen), seen);
    const begun = this.deps.audit.recorded({
      userId,
      event: 'policy.required',
      detail: { deadline_ts: deadlineTs, ...(exempt === null ? {} : { exempt }) },
    });
    const told = { stage: reminderStage(deadlineTs, now), deadlineTs };
    await this.deps.storage.commit([userId], when(beginGrace(userId, now, told), { won: begun, lost: [] }));
    return this.find(userId);
  }

  private async exemption(
    userId: string,
    found: FoundPolicy,
    witness?: Witness,
  ): Promise<FoundPolicy['exempt']> {
    if (witness === undefined) return exemptionIn(this.config(), found);
    const exempt = await witness.exemption();
    if (exempt !== found.exempt) await this.deps.storage.commit([userId], rememberExemption(userId, exempt));
    return exemptionIn(this.config(), { exempt });
  }
}

/** Whether the configuration can require a second factor of anyone. */
function mayRequire(config: PolicyConfig): boolean {
  return rulesOf(config).some(({ mode }) => mode === 'required');
}

function rulesOf({ default: usual, users, administrators, groups }: PolicyConfig): PolicyRule[] {
  return [usual, administrators.rule, ...Object.values(users), ...groups.map(({ rule }) => rule)];
}

/** The same of someone whose folded name this is; what would free them again is not looked at. */
function mayRequireOf(config: PolicyConfig, name: string): boolean {
  const { default: usual, users, administrators, groups } = config;
  if (usual.mode === 'required') return true;
  if (administrators.rule.mode === 'required') {
    if (administrators.detect || Members.of(administrators.members).mayMean(name)) return true;
  }
  if (
    Object.entries(users).some(([userId, { mode }]) => mode === 'required' && foldLocalpart(userId) === name)
  )
    return true;
  return groups.some(({ members, rule }) => rule.mode === 'required' && Members.of(members).mayMean(name));
}
