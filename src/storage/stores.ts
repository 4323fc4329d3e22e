/**
 * What the rest of the program asks of the store. Every method that decides something does so by one
 * conditional write (rule R8): its answer says whether this call was the one that changed the row.
 * Times are milliseconds since the epoch. A store that cannot answer throws `StoreUnavailable`.
 */

import type { CommitAnswer, Query, Unit } from './statement.ts';

/** The store cannot answer: gone, locked, read-only or full. Gated routes answer 503. */
export class StoreUnavailable extends Error {
  constructor(cause: unknown) {
    super('the store is unavailable', { cause });
    this.name = 'StoreUnavailable';
  }
}

/** The database was written by a newer version of this program: it is left untouched (attack 96). */
export class SchemaTooNew extends Error {
  readonly found: number;
  readonly known: number;

  constructor(found: number, known: number) {
    super(
      `the database has schema version ${found}, but this version of the program knows only up to ${known}: ` +
        'run the newer version again, or restore a backup made before the upgrade',
    );
    this.name = 'SchemaTooNew';
    this.found = found;
    this.known = known;
  }
}

/** One enrolled authenticator. */
export interface Authenticator {
  readonly id: string;
  readonly userId: string;
  /** Of which factor. */
  readonly kind: string;
  readonly name: string;
  /** What its proofs are judged by, sealed with the identity `authenticator:<id>:<userId>`. */
  readonly sealedSeed: Buffer;
  readonly enabledAt: number;
  readonly lastUsedAt: number | null;
  /** The last accepted time step, or counter; none at or below it is ever accepted again. */
  readonly lastStep: number;
}

/** An enrolment that waits for its first code. It is not an authenticator yet and opens nothing. */
export interface Setup {
  readonly id: string;
  readonly userId: string;
  /** Of which factor. */
  readonly kind: string;
  readonly name: string;
  /** Sealed with the identity `setup:<id>:<userId>`. */
  readonly sealedSeed: Buffer;
  /** SHA-256 of the access token that began it: only that token may confirm it. */
  readonly tokenHash: string;
  readonly expiresAt: number;
  readonly failures: number;
}

/** Hashes of a new set of recovery codes, in the order in which they are shown. */
export interface NewRecoverySet {
  readonly salt: Buffer;
  /** The key of the ring that the pepper was derived from. */
  readonly pepperKeyId: string;
  readonly hashes: readonly string[];
  /** A tag for each hash, by which a wrong code is told without hashing it (`recoveryTag`). */
  readonly tags: readonly number[];
  readonly generatedAt: number;
}

export interface RecoverySet {
  readonly salt: Buffer;
  readonly pepperKeyId: string;
  readonly generatedAt: number;
  readonly codes: readonly RecoveryCode[];
}

export interface RecoveryCode {
  /** 1-based. */
  readonly position: number;
  readonly hash: string;
  /** Null in sets that were made before there were tags. */
  readonly tag: number | null;
  readonly usedAt: number | null;
}

/** What a set-up becomes when its first code was right. */
export interface Confirmation {
  readonly setupId: string;
  readonly userId: string;
  readonly authenticatorId: string;
  readonly foldedLocalpart: string;
  /** The seed sealed again, under the identity of the authenticator. */
  readonly sealedSeed: Buffer;
  readonly step: number;
  readonly recovery: NewRecoverySet;
}

/**
 * What a user has enrolled. Every change of it ends what that user has proven or begun before, as `endProofs` does.
 */
export interface FactorStore {
  /** Whether `userId` has 2FA on (at least one authenticator). */
  isEnrolled(userId: string): Promise<boolean>;
  /** Whether any account has 2FA on. */
  anyoneEnrolled(): Promise<boolean>;
  /** Whether an enrolled user has this folded local part (a hint, see R5). */
  mayBeEnrolled(foldedLocalpart: string): Promise<boolean>;
  /** All user ids with 2FA on, in order. */
  enrolledUsers(): Promise<string[]>;

  /** @param kind of one factor; all of them where it is left out */
  authenticators(userId: string, kind?: string): Promise<Authenticator[]>;
  /** Removes one authenticator; the last one gone switches 2FA off and removes the codes. */
  removeAuthenticator(
    userId: string,
    authenticatorId: string,
  ): Promise<{ removed: boolean; remaining: number }>;
  /** Removes the authenticators of one kind; the last one gone switches 2FA off, as above. */
  removeKind(userId: string, kind: string): Promise<{ removed: number; remaining: number }>;
  /** Removes every authenticator, set-up, recovery code, lane and known place of `userId`: how many authenticators there were. */
  removeAllFactors(userId: string): Promise<number>;

  /**
   * Ends what a user has proven or begun under the present factors and password: held logins, claimed ones too,
   * which the next sweep logs out, sessions, login tokens, fresh logins, set-ups (R12, attacks 153 and 180).
   */
  endProofs(userId: string): Promise<void>;

  /** Keeps a set-up; one that the same user began before is dropped. */
  beginSetup(setup: Setup): Promise<void>;
  dropExpiredSetups(): Promise<void>;
  findSetup(id: string): Promise<Setup | undefined>;
  /**
   * Takes a live set-up for one confirmation until `until`, or until it is given back: false if another one has it,
   * or it is gone. A confirmation that dies leaves it to the next, after that time.
   */
  takeSetup(id: string, until: number): Promise<boolean>;
  giveSetupBack(id: string): Promise<void>;
  /** Counts a wrong first code; at `limit` the set-up is gone. Answers how many there were, `limit` if it was gone. */
  countSetupFailure(id: string, limit: number): Promise<number>;
  /**
   * Turns the set-up into an authenticator whose enrolment step is spent, and replaces the recovery codes:
   * all or nothing. False if the set-up was gone (another confirmation won).
   */
  activate(confirmation: Confirmation): Promise<boolean>;

  recoverySet(userId: string): Promise<RecoverySet | undefined>;
  /** Replaces the codes of an enrolled user at `set.generatedAt`; the old ones are dead at once. False if 2FA is off. */
  replaceRecoverySet(userId: string, set: NewRecoverySet): Promise<boolean>;
  deleteRecoverySet(userId: string): Promise<boolean>;
}

/** A time step of one authenticator of the user who makes the attempt. */
export interface StepToSpend {
  readonly authenticatorId: string;
  readonly step: number;
}

/** A UIA session as stored. Its id is kept hashed (R11). */
export interface StoredSession {
  readonly idHash: string;
  /** The plain id, sealed with the identity `session-id:<idHash>`: "the same session again" must name it. */
  readonly sealedId: Buffer;
  /** What it was opened for, compared whole: e.g. `login v3` or `POST /_matrix/client/v3/delete_devices`. */
  readonly target: string;
  readonly userId: string;
  /** SHA-256 of the access token it is bound to; null at login. */
  readonly tokenHash: string | null;
  readonly flows: readonly (readonly string[])[];
  readonly completed: readonly string[];
  /** The first non-empty body, sealed with the identity `session:<idHash>`; null until there was one, or if it is large. */
  readonly sealedBody: Buffer | null;
  /** Keyed digest of that body; null until there was one. */
  readonly bodyDigest: string | null;
  /** A password that a page had judged, sealed like the body; null otherwise. */
  readonly sealedPassword: Buffer | null;
  /** The access token itself, sealed likewise: a page needs it to have a password judged. Null where no page will. */
  readonly sealedToken: Buffer | null;
  /** The device of the access token, for the audit; null at login. */
  readonly deviceId: string | null;
  /** The held login that this session releases; null on guarded endpoints. */
  readonly holdId: string | null;
  readonly pot: SessionPot;
  /** Keyed digest of the network that opened it; null where that is not known. */
  readonly network: string | null;
  /** The address that opened it, for the person who is to approve it; null where no page tells it. */
  readonly address: string | null;
  readonly failures: number;
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** Where a session was opened: on one of our pages, at `POST /login` or `/register`, or under an access token. */
export type SessionPot = 'page' | 'login' | 'token';

/** How many sessions are kept. */
export interface SessionLimits {
  /** In each pot: beyond it the user with most loses one there. */
  readonly perPot: number;
  /** Of one user in each pot. */
  readonly perUser: number;
  /** Of one held login in each pot, and of one access token. */
  readonly perHoldOrToken: number;
}

/** The state of a session that a request has read, and that a stage is done in. */
export type SessionState = Pick<StoredSession, 'idHash' | 'completed' | 'bodyDigest'>;

export interface SessionStore {
  /** Keeps a session. Beyond a limit the network with most loses the oldest of what is counted there, never this one. */
  open(session: StoredSession, limits: SessionLimits): Promise<void>;
  find(idHash: string): Promise<StoredSession | undefined>;
  /**
   * The newest live session for the same token and target, and for the same body or where one of the two is empty and
   * not frozen; for "the same session again".
   */
  findBound(tokenHash: string, target: string, bodyDigest: string | null): Promise<StoredSession | undefined>;
  /** Of the live sessions that hang on a hold and were opened with this body the one in which most is done. */
  findOfHold(holdId: string, bodyDigest: string): Promise<StoredSession | undefined>;
  /** Appends `stage` if stages and body are still what `state` says; false if another request was first. */
  complete(state: SessionState, stage: string): Promise<boolean>;
  /** Binds the first non-empty body; false if there is one already, or a stage is done: that froze the empty one. */
  bindBody(idHash: string, sealedBody: Buffer | null, bodyDigest: string): Promise<boolean>;
  bindPassword(idHash: string, sealedPassword: Buffer): Promise<boolean>;
  /** Counts a failed attempt: how many there are now, `Number.MAX_SAFE_INTEGER` if the session is gone. */
  countFailure(idHash: string): Promise<number>;
  /** Ends the session; true for exactly one caller. */
  end(idHash: string): Promise<boolean>;
  /** Ends the sessions of a user that are bound to this token. */
  endOfToken(userId: string, tokenHash: string): Promise<void>;
  dropExpired(): Promise<void>;
}

/**
 * The turn of the homeserver in a session: while one request has it, no other may have a password judged there,
 * and what the homeserver asks for besides the password is kept until the client answers.
 */
export interface SessionTurnStore {
  /** Takes the turn until `until`, or until it is given back; false if another request has it or the session is gone. */
  take(idHash: string, until: number): Promise<boolean>;
  giveBack(idHash: string): Promise<void>;
  /** Keeps how the homeserver goes on, sealed with the identity `session-onward:<idHash>`, for the one who has the turn. */
  leadOn(idHash: string, sealedOnward: Buffer): Promise<void>;
  /** What was kept; undefined if the session is gone or was never led on. It ends with its session. */
  onward(idHash: string): Promise<Buffer | undefined>;
}

/** A granted login kept back until the second factor (R10, R12). */
export interface HeldLogin {
  readonly id: string;
  readonly userId: string;
  /** The device that the homeserver granted. */
  readonly deviceId: string;
  /** Keyed digest of identity, password and kind of request: an equal sign-in joins. Null: none may join. */
  readonly joinKey: string | null;
  /** The same for all spellings of the name and password; bounds how many holds one password can make. */
  readonly foldedJoinKey: string | null;
  /** That of the granted user's own name, whatever name the login was made under. */
  readonly ownerJoinKey: string | null;
  /** The homeserver's answer, sealed with the identity `hold:<id>:<userId>`. */
  readonly sealedGrant: Buffer;
  /** `logout` at its end; `forget` where a logout would delete keys that were there before (R5). */
  readonly atEnd: 'logout' | 'forget';
  readonly createdAt: number;
  readonly expiresAt: number;
}

/** A hold that has ended and is to be logged out. */
export interface EndedHold extends HeldLogin {
  /** How often that was begun, this time included. */
  readonly attempts: number;
}

export interface HoldStore {
  hold(held: HeldLogin): Promise<void>;
  find(id: string): Promise<HeldLogin | undefined>;
  unclaim(id: string, claimant: string): Promise<void>;
  /** Ends one hold now, for its claimant: false if it was ended or lost meanwhile. */
  end(id: string, claimant: string): Promise<boolean>;
  countForUser(userId: string): Promise<number>;
  /** Up to `limit` ended holds, leased to this caller until `leaseUntil`: no two callers get the same one. */
  leaseEnded(leaseUntil: number, limit: number): Promise<EndedHold[]>;
  /** Gives an ended hold out again no sooner than at `until`. */
  leaseUntil(id: string, until: number): Promise<void>;
  /** The hold was logged out, or need not be: it is gone. */
  forget(id: string): Promise<void>;
}

/** A login token that was issued under 2FA, remembered by its hash. */
export interface PassedLoginToken {
  readonly tokenHash: string;
  readonly userId: string;
  readonly expiresAt: number;
}

export interface LoginTokenStore {
  remember(token: PassedLoginToken): Promise<void>;
  /** Takes the token out: true once, in its time, for that user, unless it was ended (`FactorStore.endProofs`). */
  redeem(tokenHash: string, userId: string): Promise<boolean>;
  /** Whether the token was issued under 2FA and ended since. */
  isEnded(tokenHash: string): Promise<boolean>;
  dropExpired(): Promise<void>;
}

/** A login token that the sign-in page handed out: it stands for one held login. */
export interface SignInToken {
  readonly tokenHash: string;
  readonly holdId: string;
  readonly userId: string;
  /** Whether it was given for a second factor; false: the account had none. */
  readonly secondFactor: boolean;
  readonly expiresAt: number;
}

/** That a token is redeemed once is decided by the hold, which is released once. */
export interface SignInTokenStore {
  remember(token: SignInToken): Promise<void>;
  find(tokenHash: string): Promise<SignInToken | undefined>;
  forget(tokenHash: string): Promise<void>;
  dropExpired(): Promise<void>;
}

/**
 * A token that signed in with 2FA a moment ago: no second code for its first key upload (spec/guarded_endpoints.md,
 * "Cross-signing keys").
 */
export interface FreshLogin {
  readonly tokenHash: string;
  readonly userId: string;
  /** Keyed digest of the login password as sent, its appended code included; null for other doors. */
  readonly passwordDigest: string | null;
  readonly expiresAt: number;
}

export interface FreshLoginStore {
  remember(login: FreshLogin): Promise<void>;
  find(tokenHash: string): Promise<FreshLogin | undefined>;
  dropExpired(): Promise<void>;
}

/** One line of the audit: who did what, when, from where. Never a secret. */
export interface AuditRecord {
  readonly at: number;
  readonly userId: string;
  /** e.g. `totp.enabled`, `recovery.used`, `operator.reset`. */
  readonly event: string;
  readonly address: string | null;
  readonly deviceId: string | null;
  /** Further facts, without secrets. */
  readonly detail: Readonly<Record<string, string | number | boolean>>;
}

export interface AuditStore {
  /** Adds a line. With `newest`, only so many of this user and event stay. */
  append(record: AuditRecord, newest?: number): Promise<void>;
  /** The newest first. */
  list(filter: { userId?: string; limit?: number }): Promise<AuditRecord[]>;
}

/** A database: it writes units of work and answers questions. Its contract stands in `statement.ts`. */
export interface Driver {
  /**
   * Writes a unit of work whole or not at all.
   * @param accounts the users whose rows it writes
   * @throws {StoreUnavailable} it was not written, or it is not known whether it was
   */
  commit<const U extends Unit>(accounts: readonly string[], unit: U): Promise<CommitAnswer<U>>;
  /** @throws {StoreUnavailable} */
  read<Row>(query: Query<Row>): Promise<Row[]>;
  /** Resolves if the store can read and write now. */
  check(): Promise<void>;
  close(): Promise<void>;
}

/** The whole store. */
export interface Storage extends Driver {
  readonly factors: FactorStore;
  readonly sessions: SessionStore;
  readonly sessionTurns: SessionTurnStore;
  readonly holds: HoldStore;
  readonly loginTokens: LoginTokenStore;
  readonly signInTokens: SignInTokenStore;
  readonly freshLogins: FreshLoginStore;
  readonly audit: AuditStore;
}
