import type { TotpSettings } from '../../factors/totp/totp_settings.ts';
import { parseUserId } from '../../matrix/user_id.ts';
import type { Entry, FoundAuthenticator, SkippedEntry, UnreadableEntry } from './entry.ts';

/** An authenticator that may be taken. */
export interface ImportedAuthenticator {
  readonly name: string | undefined;
  readonly seed: Buffer;
}

/** A line of the report. */
export interface Remark {
  readonly place: string;
  /** As it is written in the file; empty if it could not be read. */
  readonly user: string;
  readonly why: string;
}

/** What may be done with the entries of a file. */
export interface Judgement {
  /** The authenticators that are taken, by user. */
  readonly taken: ReadonlyMap<string, readonly ImportedAuthenticator[]>;
  readonly skipped: readonly Remark[];
  readonly errors: readonly Remark[];
}

export interface ImportChoices {
  /** The server name of users whose entries have none. */
  readonly serverName?: string | undefined;
  readonly skipExisting: boolean;
  readonly skipUnusable: boolean;
}

/** RFC 4226 section 4 asks for 128 bits; 80 is what some programs make. */
const LEAST_SEED_BYTES = 10;
const MOST_SEED_BYTES = 128;
/** As many as a user may have. */
const MOST_OF_A_USER = 20;
const LONGEST_USER_ID_BYTES = 255;
/** The grammar of new local parts (https://spec.matrix.org/latest/appendices/#user-identifiers). */
const LOCALPART = /^[a-z0-9._=\-/+]+$/;
const NO_SEED = 'its seed cannot be read';
/** As `schemas/name.json` has it. */
const NAME = /^[^\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]{1,100}$/u;

/** Why an entry is not taken, and the list in which that is said. */
interface Objection {
  readonly to: Remark[];
  readonly why: string;
}

/** Looks at every entry before anything is written. */
export class ImportJudge {
  private readonly taken = new Map<string, ImportedAuthenticator[]>();
  private readonly skipped: Remark[] = [];
  private readonly errors: Remark[] = [];
  /** Where each user was named first. */
  private readonly places = new Map<string, string>();

  constructor(
    private readonly settings: TotpSettings,
    private readonly choices: ImportChoices,
    private readonly isEnrolled: (userId: string) => boolean,
  ) {}

  judge(entries: readonly Entry[]): Judgement {
    for (const entry of entries) this.look(entry);
    return { taken: this.taken, skipped: this.skipped, errors: this.errors };
  }

  private look(entry: Entry): void {
    const objection = entry.is === 'found' ? this.take(entry) : this.objectionTo(entry);
    if (objection === undefined) return;
    const { place } = entry;
    objection.to.push({ place, user: entry.is === 'unreadable' ? '' : entry.user, why: objection.why });
  }

  private objectionTo({ is, why }: SkippedEntry | UnreadableEntry): Objection {
    return is === 'skipped' ? { to: this.skipped, why } : this.unusable(why);
  }

  /** Takes an authenticator, or says why not. */
  private take(entry: FoundAuthenticator): Objection | undefined {
    const userId = this.userIdOf(entry.user);
    if (userId === undefined) return this.unusable(this.whyNoUserId(entry.user));
    if (this.isEnrolled(userId)) return this.existing();
    const first = this.places.get(userId) ?? entry.place;
    // One place of the file may hold several authenticators of a user.
    if (first !== entry.place) return { to: this.errors, why: `${userId} stands at ${first} too` };
    const { seed, name } = entry;
    const why = whyUnusable(entry, this.settings);
    if (why !== undefined || seed === undefined) return this.unusable(why ?? NO_SEED);
    const others = this.taken.get(userId) ?? [];
    if (others.length === MOST_OF_A_USER)
      return this.unusable(`the user has more than ${MOST_OF_A_USER} authenticators`);
    this.places.set(userId, entry.place);
    this.taken.set(userId, [...others, { name, seed }]);
    return undefined;
  }

  private userIdOf(user: string): string | undefined {
    const userId = user.startsWith('@') ? user : `@${user}:${this.choices.serverName ?? ''}`;
    const parts = parseUserId(userId);
    if (parts === undefined || Buffer.byteLength(userId) > LONGEST_USER_ID_BYTES) return undefined;
    const isBare = userId !== user;
    return (isBare ? LOCALPART.test(user) : /^[!-~]+$/.test(user)) ? userId : undefined;
  }

  private whyNoUserId(user: string): string {
    const canBeNamed = LOCALPART.test(user) && this.choices.serverName === undefined;
    return canBeNamed ? 'it needs --server-name' : 'this is not the name of a Matrix user';
  }

  private existing(): Objection {
    const to = this.choices.skipExisting ? this.skipped : this.errors;
    return { to, why: 'the user has two-factor authentication on' };
  }

  private unusable(why: string): Objection {
    return { to: this.choices.skipUnusable ? this.skipped : this.errors, why };
  }
}

/** Why no code of this authenticator would ever be right here, or why it is too weak. */
function whyUnusable(entry: FoundAuthenticator, settings: TotpSettings): string | undefined {
  const { seed, name } = entry;
  const algorithm = entry.algorithm.toLowerCase().replaceAll('-', '');
  if (algorithm !== settings.algorithm) return `its algorithm is not totp.algorithm (${settings.algorithm})`;
  if (entry.digits !== String(settings.digits)) return `its digits are not totp.digits (${settings.digits})`;
  if (entry.period !== String(settings.period)) return `its period is not totp.period (${settings.period})`;
  if (seed === undefined) return NO_SEED;
  if (seed.length < LEAST_SEED_BYTES) return `its seed has ${seed.length * 8} bits: at least 80 are needed`;
  if (seed.length > MOST_SEED_BYTES) return `its seed has more than ${MOST_SEED_BYTES * 8} bits`;
  if (name !== undefined && !NAME.test(name))
    return 'its name is too long, or holds characters that are not shown';
  return undefined;
}
