/**
 * Every setting, a row each: its type, its default and what it is for. The types below, `schemas/config.json`,
 * `config.sample.yaml`, the tables of `docs/configure.md` and the variables of the environment follow from it
 * (`npm run generate`).
 */

/** What a setting of each type holds once it was checked. */
interface ValueTypes {
  readonly text: string;
  /** One line without control characters. */
  readonly line: string;
  readonly file: string;
  /** `30s`, `5m`, `2h`, `7d`, or seconds. */
  readonly duration: string | number;
  readonly integer: number;
  /** How often something comes back each second. */
  readonly rate: number;
  readonly flag: boolean;
  readonly texts: readonly string[];
  readonly files: readonly string[];
  /** One of `choices`. */
  readonly choice: string;
  /** A duration, or a date as in `2027-03-31`. */
  readonly grace: string | number;
  /** Kinds of factors. */
  readonly kinds: readonly string[];
  /** What is asked of single users, by their ids. */
  readonly rules: Readonly<Record<string, PolicyMode | RuleSettings>>;
  readonly administrators: AdministratorSettings;
  readonly groups: readonly GroupSettings[];
  /** A region such as `DE-BE`, or a file with a calendar. */
  readonly holidays: string | { readonly file: string } | null;
}

/** What is asked of users (docs/policy.md). */
export const POLICY_MODES = ['optional', 'required', 'forbidden'] as const;
export type PolicyMode = (typeof POLICY_MODES)[number];

/** Which factors a policy may name. */
export const FACTOR_KINDS = ['totp', 'webauthn'] as const;

/** A rule of the policy as it is written: what it leaves out, others say. */
export interface RuleSettings {
  readonly policy?: PolicyMode;
  readonly grace?: string | number;
  readonly after_grace?: 'enrol' | 'block';
  readonly factors?: readonly string[];
  readonly recovery?: {
    readonly codes?: 'required' | 'optional' | 'off';
    readonly codes_for_changes?: boolean;
    readonly account_recovery?: 'allowed' | 'forbidden';
  };
  readonly device_passwords?: 'allowed' | 'forbidden';
}

interface AdministratorSettings extends RuleSettings {
  readonly members?: readonly string[];
  readonly detect?: boolean;
}

interface GroupSettings extends RuleSettings {
  readonly name: string;
  readonly members?: readonly string[];
  readonly members_file?: string;
}

export interface SettingRow {
  /** Its sections and its name, with dots between them. */
  readonly path: string;
  readonly type: keyof ValueTypes;
  readonly choices?: readonly string[];
  /** What is taken where it is left out; without one, `doc` says what happens then. */
  readonly default?: string | number | boolean | readonly string[];
  /** The smallest and the largest: numbers, or durations as they are written. */
  readonly min?: number | string;
  readonly max?: number | string;
  readonly maxLength?: number;
  readonly pattern?: string;
  /** What it is for, in Markdown. */
  readonly doc: string;
  /** A value for the sample, for settings without a default. */
  readonly example?: string;
  /** Set in the sample all the same: a proxy that others reach needs it. */
  readonly needed?: true;
  /** What the sample says beside it; above it, if it stands in no section. */
  readonly note?: string;
  /** Read again by a running `serve` at SIGHUP; all others need a restart. */
  readonly reload?: true;
  /** A variable of the environment goes before the file: `MATRIX_2FA_` and the path. */
  readonly variable?: true;
}

export interface SectionRow {
  readonly path: string;
  readonly doc: string;
  /** Either all of its settings are given, or none. */
  readonly whole?: true;
}

/** The sections, outer ones first. */
export const SECTIONS: readonly SectionRow[] = [
  { path: 'homeserver', doc: 'The homeserver behind the proxy.' },
  {
    path: 'homeserver.appservice',
    doc: 'logins for users who have passed, without their password',
  },
  { path: 'storage', doc: 'The database; its tables are made at the first start.' },
  {
    path: 'keys',
    doc: "The keys that seal what is secret in the database; made by `init`. Keep a copy apart from the database's.",
  },
  {
    path: 'totp',
    doc: 'One-time codes. Set these before the first user turns 2FA on: apps keep what they scanned.',
  },
  {
    path: 'webauthn',
    doc: 'Passkeys and security keys: [passkeys.md](passkeys.md).',
  },
  { path: 'recovery', doc: 'Recovery codes.' },
  { path: 'login', doc: 'The ways to sign in.' },
  { path: 'uia', doc: 'User-interactive authentication sessions.' },
  { path: 'account', doc: 'The account page.' },
  {
    path: 'device_passwords',
    doc: 'Device passwords: for bots and apps that know only passwords. Each releases one login, which was made with the second factor.',
  },
  {
    path: 'limits',
    doc: 'Rate limits are written as in Synapse. Wrong codes bring waits of their own beside these.',
  },
  { path: 'limits.per_address', doc: 'failed attempts from one address', whole: true },
  {
    path: 'limits.sign_in_per_user',
    doc: 'logins of one user that wait for a second factor',
    whole: true,
  },
  {
    path: 'policy',
    doc: 'Who must have two-factor authentication, and who must not: docs/policy.md.',
  },
  { path: 'policy.recovery', doc: 'recovery codes, and account recovery' },
  {
    path: 'account_recovery',
    doc: 'A way back in for owners who have lost authenticator and recovery codes, after a delay in which everybody is told and anyone of them can cancel it. Off unless it is turned on here.',
  },
  { path: 'account_recovery.calendar', doc: 'the days on which its clock runs' },
  { path: 'account_recovery.vouch', doc: 'an unused recovery code that shortens the wait' },
  {
    path: 'account_recovery.votes',
    doc: 'other users, named beforehand, whose votes shorten the wait',
  },
  { path: 'sso', doc: 'The sign-in page as clients see it.' },
  {
    path: 'oauth',
    doc: 'Sign-in by the OAuth 2.0 API of Matrix: docs/oauth.md. Once it is on, apps that know that API use nothing else. It stays shut before a homeserver that has the API itself.',
  },
  { path: 'brand', doc: 'What the pages show.' },
  { path: 'log', doc: 'What is written to standard error.' },
  {
    path: 'notify',
    doc: 'Who is told of changes ([notices.md](notices.md)). A channel is off unless it stands here.',
  },
  { path: 'notify.mail', doc: 'mails to the owner' },
  { path: 'notify.matrix', doc: 'messages to the owner in a direct room' },
  { path: 'notify.webhook', doc: 'requests to a program of the operator' },
  {
    path: 'notify.sms',
    doc: 'text messages to phone numbers that owners leave for the recovery of their account',
  },
  { path: 'metrics', doc: 'For those who watch: [watch.md](watch.md).' },
  { path: 'admin', doc: 'For programs of the operator: [admin_api.md](admin_api.md).' },
  { path: 'audit', doc: 'How long the audit is kept: [audit.md](audit.md).' },
];

export const SETTINGS = [
  {
    path: 'listen',
    type: 'text',
    default: '127.0.0.1:8010',
    doc: 'Address and port; IPv6 in brackets; port 0 takes a free one.',
    note: 'Where the proxy listens.',
    variable: true,
  },
  {
    path: 'public_base_url',
    type: 'text',
    doc: 'The address that clients use: an origin, nothing after the host. `http://` is taken for loopback only. Left out, it follows from `listen`, where that is on loopback.',
    example: 'https://matrix.example.org',
    needed: true,
    note: 'The address that clients use. http:// is taken only for loopback addresses.\nLeft out, it follows from `listen` where that is on loopback.',
    variable: true,
  },
  {
    path: 'homeserver.url',
    type: 'text',
    default: 'http://127.0.0.1:8008',
    doc: 'Where the homeserver answers: an origin.',
    variable: true,
  },
  {
    path: 'homeserver.appservice.file',
    type: 'file',
    doc: 'The registration of this proxy as an application service of the homeserver, for its owner alone: `init --appservice` writes it. Its token opens every account.',
    example: 'appservice.yaml',
  },
  {
    path: 'storage.type',
    type: 'choice',
    choices: ['sqlite', 'postgres'],
    default: 'sqlite',
    doc: 'The kind of database: `sqlite`, a file on this machine, or `postgres`, PostgreSQL 13 or newer.',
    note: 'or postgres, for processes on several machines',
  },
  {
    path: 'storage.path',
    type: 'file',
    default: 'data/2fa.db',
    doc: 'SQLite: the database file, made at the first start.',
    note: 'for sqlite; what follows is for postgres',
    variable: true,
  },
  {
    path: 'storage.url',
    type: 'text',
    doc: 'PostgreSQL: where the database is, `postgres://user@host:5432/database`. `?host=/run/postgresql` names the folder of a socket; nothing else may stand there. The database is made beforehand (`createdb`), its tables at the first start.',
    example: 'postgres://matrix_2fa@db.example.org:5432/matrix_2fa',
  },
  {
    path: 'storage.password_file',
    type: 'file',
    doc: 'PostgreSQL: a file with the password, read for each new connection.',
    example: 'data/postgres_password',
  },
  {
    path: 'storage.tls',
    type: 'choice',
    choices: ['verify-full', 'require', 'disable'],
    doc: 'PostgreSQL: `verify-full` takes a certificate for that host only, `require` takes any, `disable` does not encrypt. Left out, `disable` on this machine and `verify-full` elsewhere.',
    example: 'verify-full',
    note: 'how its connections are encrypted: verify-full, require, disable',
  },
  {
    path: 'storage.ca_file',
    type: 'file',
    doc: "PostgreSQL: the certificates that sign the server's, in PEM.",
    example: 'data/postgres_ca.pem',
  },
  {
    path: 'storage.pool',
    type: 'integer',
    default: 10,
    min: 1,
    max: 100,
    doc: 'PostgreSQL: how many connections a process has at most. A request waits up to 5 s for one. It has one more for its own work.',
    note: 'connections of a process at most',
  },
  {
    path: 'storage.migrate',
    type: 'choice',
    choices: ['auto', 'never'],
    default: 'auto',
    doc: 'Who brings a database of an older version up to date: `auto`, each command that opens it; `never`, only the command `migrate`: all others end with exit code 2 until it has run.',
    note: 'or never: only the command migrate brings an older database up to date',
  },
  {
    path: 'keys.file',
    type: 'file',
    default: 'data/keys.json',
    doc: 'The key file, made by `init`, readable for its owner only. Of `file`, `credential` and `command` one is given at most.',
    variable: true,
  },
  {
    path: 'keys.credential',
    type: 'text',
    doc: 'Instead of `keys.file`: the name of a credential of systemd (`LoadCredential=`), a file in `$CREDENTIALS_DIRECTORY`.',
    example: 'keys.json',
    note: 'or a credential of systemd in place of file',
  },
  {
    path: 'keys.command',
    type: 'texts',
    doc: 'Instead of `keys.file`: a program and its arguments, run without a shell, which prints what would stand in the key file.',
    example: '[/usr/local/bin/print-keys]',
    note: 'or a program that prints them',
  },
  {
    path: 'keys.timeout',
    type: 'duration',
    default: '10s',
    min: '1s',
    max: '60s',
    doc: 'How long that program may take.',
  },
  {
    path: 'keys.marks',
    type: 'file',
    doc: 'Where to remember in which database users turned 2FA on ([operate.md](operate.md#is-it-the-right-database)). Left out, in the key file; needed where that one cannot be written, with `credential` and with `command`.',
    example: 'data/marks.json',
    note: 'which database it is, if the key file cannot be written',
  },
  {
    path: 'trusted_proxies',
    type: 'texts',
    default: [],
    doc: 'Addresses and ranges of the web servers in front. Only their `X-Forwarded-For` and `X-Forwarded-Proto` are believed. `init` writes loopback here.',
    note: 'Addresses or ranges of the web servers in front, whose X-Forwarded-For is believed.\nBehind nginx on the same machine: [127.0.0.1, "::1"]',
    reload: true,
  },
  {
    path: 'application_services',
    type: 'files',
    default: [],
    doc: 'Registration files. Requests with one of their tokens pass without a second factor, sign-ins too.',
    note: 'Registration files of application services (bridges, bots) whose requests pass without a second factor.',
    reload: true,
  },
  {
    path: 'totp.issuer',
    type: 'line',
    maxLength: 64,
    pattern: '^[^:]*$',
    doc: 'The name that authenticator apps show. Left out, it is the host of `public_base_url`.',
    example: 'Example',
    note: 'what authenticator apps show; by default the host of public_base_url',
  },
  {
    path: 'totp.window',
    type: 'integer',
    default: 1,
    min: 0,
    max: 4,
    doc: 'Steps before and after the present one whose codes are accepted.',
    note: 'steps before and after the present one',
  },
  {
    path: 'totp.algorithm',
    type: 'choice',
    choices: ['sha1', 'sha256', 'sha512'],
    default: 'sha1',
    doc: '`sha1`, `sha256` or `sha512`. Many apps know only the first.',
    note: 'many apps know no other',
  },
  { path: 'totp.digits', type: 'integer', default: 6, min: 6, max: 8, doc: 'The length of a code.' },
  {
    path: 'totp.period',
    type: 'duration',
    default: '30s',
    min: '10s',
    max: '5m',
    doc: 'How long a code stands.',
  },
  {
    path: 'webauthn.enabled',
    type: 'flag',
    default: true,
    doc: 'Whether passkeys and security keys are taken as a second factor. They are not where `public_base_url` has an IP address and `webauthn.rp_id` is left out.',
    note: 'passkeys and security keys as a second factor',
  },
  {
    path: 'webauthn.rp_id',
    type: 'line',
    maxLength: 253,
    doc: 'The domain that passkeys are bound to. Left out, it is the host of `public_base_url`. Where it changes, passkeys of before are of no use.',
    example: 'example.org',
    note: 'the domain that passkeys are bound to; by default the host of public_base_url',
  },
  {
    path: 'webauthn.rp_name',
    type: 'line',
    maxLength: 64,
    doc: 'What browsers show of the server. Left out, it is `rp_id`.',
    example: 'Example',
    note: 'what browsers show; by default rp_id',
  },
  {
    path: 'webauthn.origins',
    type: 'texts',
    default: [],
    doc: 'The pages that may ask for passkeys: `https://`, a host that is `rp_id` or below it, and a port. Left empty, it is the one of `public_base_url`.',
    note: 'pages that may ask for passkeys; by default that of public_base_url',
  },
  {
    path: 'webauthn.user_verification',
    type: 'choice',
    choices: ['required', 'preferred', 'discouraged'],
    default: 'preferred',
    doc: 'Whether authenticators ask for a PIN, a finger or a face.',
    note: 'required, preferred or discouraged: a PIN, a finger or a face',
  },
  {
    path: 'webauthn.passwordless',
    type: 'flag',
    default: false,
    doc: 'Whether users can sign in on the sign-in page with a passkey alone, which asks for a PIN, a finger or a face. Needs `homeserver.appservice`.',
    note: 'sign in with a passkey alone; needs homeserver.appservice',
  },
  {
    path: 'recovery.count',
    type: 'integer',
    default: 10,
    min: 4,
    max: 20,
    doc: 'Codes in a set.',
    note: 'codes in a set, 4 to 20',
  },
  {
    path: 'login.appended_code',
    type: 'flag',
    default: true,
    doc: 'Whether a code may be typed behind the password.',
    note: 'a code may be typed after the password',
  },
  {
    path: 'login.sso',
    type: 'flag',
    default: true,
    doc: 'Whether the sign-in page is offered.',
    note: 'the sign-in page is offered',
  },
  {
    path: 'login.hold_ttl',
    type: 'duration',
    default: '5m',
    min: '1s',
    max: '1h',
    doc: 'How long a login waits for its second factor. Then it is logged out.',
    note: 'how long a login waits for its second factor',
  },
  {
    path: 'uia.session_ttl',
    type: 'duration',
    default: '10m',
    min: '1s',
    max: '1d',
    doc: 'The lifetime of an authentication session; also of an unfinished set-up.',
  },
  {
    path: 'uia.max_sessions',
    type: 'integer',
    default: 10_000,
    min: 1,
    max: 10_000_000,
    doc: 'Sessions kept at once of each kind (sign-in pages, logins, access tokens), and held logins; beyond it the oldest of the users with the most end.',
  },
  {
    path: 'account.step_up',
    type: 'duration',
    default: '10m',
    max: '1h',
    doc: 'How long a second factor that was accepted on the account page stands for further acts there: signing out other devices, and adding an authenticator, which ask for the password alone then. 0: never, but for one replacement of an authenticator after a sign-in by recovery code.',
    note: 'how long a second factor stands on the page; 0 for not at all',
  },
  {
    path: 'account.idle',
    type: 'duration',
    default: '15m',
    min: '1m',
    max: '1d',
    doc: 'Without activity for so long the page signs out.',
  },
  {
    path: 'account.lifetime',
    type: 'duration',
    default: '8h',
    min: '1m',
    max: '7d',
    doc: 'After so long the page signs out, whatever happens on it.',
  },
  {
    path: 'device_passwords.enabled',
    type: 'flag',
    default: true,
    doc: 'Whether users can make device passwords, and sign in with them. Off, those that there are stay, and open nothing.',
  },
  {
    path: 'device_passwords.max_per_user',
    type: 'integer',
    default: 20,
    min: 1,
    max: 1000,
    doc: 'How many one user may have.',
  },
  {
    path: 'limits.per_address.per_second',
    type: 'rate',
    default: 2,
    doc: 'Attempts to sign in, to register, or to prove a password or factor that an address (an IPv6 network of /64) gets back each second. Those that succeed are given back at once.',
    reload: true,
  },
  {
    path: 'limits.per_address.burst_count',
    type: 'integer',
    default: 60,
    min: 1,
    max: 1_000_000,
    doc: 'Such attempts of one address at once.',
    reload: true,
  },
  {
    path: 'limits.sign_in_per_user.per_second',
    type: 'rate',
    default: 0.003,
    doc: "Held logins that a user gets back each second. It is charged to the user in the homeserver's answer, in all processes together; sign-ins that share one do not count, and a finished one is given back.",
    reload: true,
  },
  {
    path: 'limits.sign_in_per_user.burst_count',
    type: 'integer',
    default: 4,
    min: 1,
    max: 1_000_000,
    doc: 'Held logins of one user at once. Beyond it sign-ins join one that is held; none is refused.',
    reload: true,
  },
  {
    path: 'limits.session_failures',
    type: 'integer',
    default: 5,
    min: 1,
    max: 100,
    doc: 'Wrong attempts after which an authentication session is dead.',
    note: 'wrong attempts after which a session is dead',
    reload: true,
  },
  {
    path: 'policy.default',
    type: 'choice',
    choices: POLICY_MODES,
    default: 'optional',
    doc: '`optional`, `required` or `forbidden`: what is asked of users whom nothing else names.',
    note: 'or required, forbidden',
    reload: true,
  },
  {
    path: 'policy.users',
    type: 'rules',
    doc: 'What is asked of single users: their ids with a mode, or with a rule (`policy`, `grace`, `after_grace`, `factors`, `recovery`, `device_passwords`).',
    example: '{ "@bob:example.org": forbidden }',
    reload: true,
  },
  {
    path: 'policy.administrators',
    type: 'administrators',
    doc: "A rule for the homeserver's administrators: those in `members`, and with `detect` (on if left out) those of whom the homeserver says so.",
    example: '{ policy: required, members: ["@root:example.org"], detect: true }',
    reload: true,
  },
  {
    path: 'policy.groups',
    type: 'groups',
    doc: 'Rules for groups: `name`, and `members` or a `members_file` with one id a line. `*` stands for any characters of the local part. The first group that has a user counts.',
    example: '[{ name: staff, members: ["@staff-*:example.org"], policy: required, grace: 30d }]',
    reload: true,
  },
  {
    path: 'policy.grace',
    type: 'grace',
    default: '0s',
    doc: 'How long a user has, from when they are first seen under the requirement; or a date such as `2027-03-31`: it is over at 00:00 UTC then.',
    note: 'or a date such as 2027-03-31',
    reload: true,
  },
  {
    path: 'policy.after_grace',
    type: 'choice',
    choices: ['enrol', 'block'],
    default: 'enrol',
    doc: '`enrol`: sign-ins wait for the set-up, and sessions that are there go on. `block`: those are refused too, until it is done.',
    note: 'or block: sessions that are there are refused too',
    reload: true,
  },
  {
    path: 'policy.registration_grace',
    type: 'duration',
    default: '24h',
    min: '0s',
    max: '365d',
    doc: 'The least that an account has which was registered through the proxy.',
    note: 'the least for new accounts',
    reload: true,
  },
  {
    path: 'policy.factors',
    type: 'kinds',
    doc: 'Which factors users may add, one at least; left out, all that there are. One of them must be on. What they have stays valid.',
    example: '[totp]',
    note: 'which factors may be added',
    reload: true,
  },
  {
    path: 'policy.recovery.codes',
    type: 'choice',
    choices: ['optional', 'required', 'off'],
    default: 'optional',
    doc: '`optional`; `required`: they cannot be deleted; `off`: none are made, offered or accepted.',
    note: 'or required, off',
    reload: true,
  },
  {
    path: 'policy.recovery.codes_for_changes',
    type: 'flag',
    default: true,
    doc: 'Whether a recovery code is good for changes of two-factor authentication itself; at sign-in it is in any case.',
    note: 'whether they are good for changes of two-factor authentication',
    reload: true,
  },
  {
    path: 'policy.recovery.account_recovery',
    type: 'choice',
    choices: ['allowed', 'forbidden'],
    default: 'allowed',
    doc: '`forbidden`: users may not begin the recovery of an account. It counts where `account_recovery.enabled` is on.',
    note: 'or forbidden',
    reload: true,
  },
  {
    path: 'policy.device_passwords',
    type: 'choice',
    choices: ['allowed', 'forbidden'],
    default: 'allowed',
    doc: '`forbidden`: no device passwords are made, and those that there are open nothing.',
    note: 'or forbidden',
    reload: true,
  },
  {
    path: 'account_recovery.enabled',
    type: 'flag',
    default: false,
    doc: 'Whether owners can begin it. Anyone who knows the password can, so it is worth what its notices, its wait and its cancel links are worth ([security_model.md](security_model.md#account-recovery)).',
    note: 'a way back in for owners who lost authenticator and recovery codes',
  },
  {
    path: 'account_recovery.wait',
    type: 'duration',
    default: '72h',
    min: '48h',
    max: '90d',
    doc: 'How long its clock runs before it opens.',
    note: 'how long it waits, at least 48h',
  },
  {
    path: 'account_recovery.claim_window',
    type: 'duration',
    default: '7d',
    min: '1h',
    max: '90d',
    doc: 'How long it stays open once it has opened.',
    note: 'how long it stays open then',
  },
  {
    path: 'account_recovery.administrators',
    type: 'flag',
    default: false,
    doc: 'Whether administrators of the homeserver may use it.',
  },
  {
    path: 'account_recovery.notice_every',
    type: 'duration',
    default: '7d',
    min: '1d',
    max: '90d',
    doc: 'How often all are told again while it waits.',
    note: 'how often all are told again',
  },
  {
    path: 'account_recovery.on_session_use',
    type: 'choice',
    choices: ['notify', 'cancel'],
    default: 'notify',
    doc: '`notify`: a device that is used meanwhile is shown the notice, and with `homeserver.appservice` the operators are told of it. `cancel`: a recovery does not open if the homeserver says that a device of the user was used after it was begun; it needs `homeserver.appservice`.',
    note: 'or cancel: it does not open if a device of the user was used',
  },
  {
    path: 'account_recovery.operators',
    type: 'texts',
    default: [],
    doc: 'Matrix ids and mail addresses that are told of every recovery.',
    note: 'who is told of every one: Matrix ids and mail addresses',
  },
  {
    path: 'account_recovery.room_admins',
    type: 'flag',
    default: false,
    doc: "Whether the other administrators of the user's rooms are told: who may change the levels of a room with three people or more, as the user may; it needs `homeserver.appservice`.",
  },
  {
    path: 'account_recovery.public_notice',
    type: 'flag',
    default: false,
    doc: "Whether the user's profile says so while it runs and for 90 days after (the field `org.matrix.2fa.recovery`, [notices.md](notices.md#a-public-notice)); it needs `homeserver.appservice` and a homeserver with profile fields (Matrix 1.16).",
  },
  {
    path: 'account_recovery.calendar.time_zone',
    type: 'text',
    default: 'UTC',
    doc: 'The time zone of users who have set none, such as `Europe/Berlin`.',
  },
  {
    path: 'account_recovery.calendar.work_week',
    type: 'texts',
    default: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
    doc: 'The days of the week on which its clock runs.',
  },
  {
    path: 'account_recovery.calendar.holidays',
    type: 'holidays',
    doc: 'Days on which it does not run: those of a region such as `DE-BE` (needs the package `date-holidays`: docs/recover.md), or `{file: holidays.ics}`. Left out, there are none.',
    example: 'DE-BE',
  },
  {
    path: 'account_recovery.calendar.absences',
    type: 'flag',
    default: true,
    doc: 'Whether it stops during absences that the owner entered before it was begun.',
  },
  {
    path: 'account_recovery.vouch.enabled',
    type: 'flag',
    default: true,
    doc: 'Whether an unused recovery code, given at the beginning, shortens the wait.',
  },
  {
    path: 'account_recovery.vouch.wait',
    type: 'duration',
    default: '24h',
    min: '1h',
    max: '90d',
    doc: 'The wait with such a code, where it is shorter.',
  },
  {
    path: 'account_recovery.votes.enabled',
    type: 'flag',
    default: false,
    doc: 'Whether owners can name other users whose votes shorten the wait, or cancel it.',
  },
  {
    path: 'account_recovery.votes.quorum',
    type: 'integer',
    default: 2,
    min: 1,
    max: 5,
    doc: 'How many of them must say yes.',
  },
  {
    path: 'account_recovery.votes.wait',
    type: 'duration',
    default: '24h',
    min: '1h',
    max: '90d',
    doc: 'The wait once they have, where it is shorter.',
  },
  {
    path: 'account_recovery.votes.nomination_age',
    type: 'duration',
    default: '7d',
    min: '1d',
    max: '365d',
    doc: 'How long before its beginning they must have been named.',
  },
  {
    path: 'sso.name',
    type: 'line',
    maxLength: 64,
    default: 'password and code',
    doc: 'What clients write on the button of the sign-in page.',
    note: 'what stands on the button',
  },
  {
    path: 'sso.preferred',
    type: 'flag',
    doc: 'Whether clients that know one of its flags show that button alone: `oauth_aware_preferred`, and its older names `delegated_oidc_compatibility` and `org.matrix.msc3824.delegated_oidc_compatibility`, which Element Web 1.11 reads. Left out: yes while apps can sign in by OAuth (`oauth.enabled`), else no.',
    example: 'true',
    note: 'true: clients that know it show this button alone',
  },
  {
    path: 'sso.clients',
    type: 'texts',
    default: [],
    doc: 'Clients that need no confirmation on the sign-in page: origins (`https://app.example.org`) or schemes (`io.example.app:`). Schemes that do not belong to an app (`ftp:`, `mailto:`, `intent:`, `ms-…:` and the like) are refused, here and on the page.',
    note: 'need no confirmation: https://app.example.org, io.example.app:',
    reload: true,
  },
  {
    path: 'oauth.enabled',
    type: 'flag',
    default: false,
    doc: 'Whether apps may sign in by the OAuth 2.0 API ([oauth.md](oauth.md)).',
    note: 'once it is on, apps that know this API offer nothing else',
  },
  {
    path: 'oauth.device_grant',
    type: 'flag',
    default: true,
    doc: 'Whether a device without a browser may be signed in by a code that its user types on another one.',
    note: 'devices without a browser',
  },
  {
    path: 'oauth.homeserver_refresh_tokens',
    type: 'flag',
    default: false,
    doc: 'Whether the homeserver is asked for refresh tokens. `true` where it lets every access token expire; elsewhere these sessions would expire for nothing.',
    note: 'true where the homeserver lets every token expire',
  },
  {
    path: 'oauth.max_clients',
    type: 'integer',
    default: 10000,
    min: 10,
    max: 1000000,
    doc: 'How many apps may be registered. Beyond it the one that was unused for longest goes; one with a session never does.',
    note: 'registered apps',
  },
  {
    path: 'brand.name',
    type: 'line',
    maxLength: 60,
    doc: 'What stands at the top of every page; by default the host of `public_base_url`.',
    example: 'Example',
    note: 'by default the host of public_base_url',
  },
  {
    path: 'brand.logo',
    type: 'file',
    doc: 'A picture beside it: an SVG, PNG or WebP file, square, at most 256 KiB. Left out, the first letter of the name.',
    example: 'logo.svg',
    note: 'SVG, PNG or WebP, square, at most 256 KiB',
  },
  {
    path: 'brand.colour',
    type: 'text',
    default: '#2463c2',
    doc: 'Of the main buttons. Their text becomes white or black, whichever can be read.',
    note: 'of the main buttons',
  },
  {
    path: 'brand.help_url',
    type: 'text',
    doc: 'Where people find help who have lost authenticator and recovery codes: `https://…` or `mailto:…`. Linked from every page. Left out, the support page or else the first administrator that the homeserver names at `/.well-known/matrix/support` of `homeserver.url`.',
    example: 'https://example.org/help',
    note: 'for those who lost everything; or mailto:',
  },
  {
    path: 'brand.privacy_url',
    type: 'text',
    doc: 'Your privacy policy: `https://…`. Linked from every page.',
    example: 'https://example.org/privacy',
    note: 'linked from every page',
  },
  {
    path: 'brand.show_version',
    type: 'flag',
    default: false,
    doc: 'Whether the foot of the pages says which version of this program runs.',
    note: 'true: the foot of the pages says which version runs',
  },
  {
    path: 'brand.language',
    type: 'text',
    default: 'en',
    pattern: '^[A-Za-z0-9-]{2,35}$',
    doc: 'The language of the pages for people whose browser asks for none that they have. All others get what they chose at the foot of a page, else what their browser asks for.',
    note: 'for people whose browser asks for no language that there is',
  },
  {
    path: 'brand.german',
    type: 'choice',
    choices: ['du', 'sie'],
    default: 'du',
    doc: 'How the German pages address people: `du`, or the formal `sie`.',
    note: 'du, sie',
  },
  {
    path: 'brand.texts',
    type: 'file',
    doc: 'A folder with texts of your own: `<tag>.yaml` for each language, such as `de.yaml`, with keys of [texts.md](texts.md). A language that the pages do not have is a new one; what it lacks is shown in English. `matrix-2fa-proxy texts` prints a file to start from. Plain text of at most 2,000 characters, with the same `{places}`.',
    example: 'texts',
    note: 'a folder with <tag>.yaml: texts of your own',
  },
  {
    path: 'log.level',
    type: 'choice',
    choices: ['debug', 'info', 'warn', 'error'],
    default: 'info',
    doc: '`debug`, `info`, `warn` or `error`: the least important lines that are written.',
    note: 'debug, info, warn, error',
    variable: true,
    reload: true,
  },
  {
    path: 'log.format',
    type: 'choice',
    choices: ['json', 'pretty'],
    default: 'json',
    doc: '`json`, or `pretty` for people.',
    note: 'json, pretty',
  },
  {
    path: 'notify.language',
    type: 'choice',
    choices: ['en', 'de'],
    default: 'en',
    doc: 'The language of notices, `en` or `de`, for owners who have visited none of our pages; for all others it is that of their last visit.',
    note: 'en, de; the language of the last page visit goes first',
    reload: true,
  },
  {
    path: 'notify.mail.from',
    type: 'line',
    maxLength: 254,
    doc: 'The sender of mails. Setting it turns mail on: owners get a mail at each of their addresses.',
    example: '2fa@example.org',
    note: 'turns mail on',
    reload: true,
  },
  {
    path: 'notify.mail.host',
    type: 'line',
    maxLength: 255,
    default: '127.0.0.1',
    doc: 'The mail server: a name or an address.',
    reload: true,
  },
  {
    path: 'notify.mail.port',
    type: 'integer',
    default: 25,
    min: 1,
    max: 65_535,
    doc: 'Its port.',
    reload: true,
  },
  {
    path: 'notify.mail.security',
    type: 'choice',
    choices: ['none', 'starttls', 'tls'],
    default: 'none',
    doc: '`starttls` (often port 587) or `tls` (465); both demand a valid certificate. `none` is taken for a mail server on loopback only.',
    note: 'none (loopback), starttls, tls',
    reload: true,
  },
  {
    path: 'notify.mail.user',
    type: 'line',
    maxLength: 254,
    doc: 'Who logs in at the mail server; left out, there is no login.',
    example: '2fa@example.org',
    reload: true,
  },
  {
    path: 'notify.mail.password_file',
    type: 'file',
    doc: 'A file with their password.',
    example: 'mail.password',
    reload: true,
  },
  {
    path: 'notify.matrix.user_id',
    type: 'line',
    maxLength: 255,
    doc: 'The account that writes to the owners, on the homeserver behind the proxy. Setting it turns these messages on.',
    example: '"@2fa:example.org"',
    note: 'turns messages on',
    reload: true,
  },
  {
    path: 'notify.matrix.access_token_file',
    type: 'file',
    doc: 'A file with an access token of that account.',
    example: 'notify.token',
    reload: true,
  },
  {
    path: 'notify.matrix.appservice',
    type: 'flag',
    default: false,
    doc: 'Whether the account of `homeserver.appservice` (`two-factor`) writes to the owners, in the place of an account with a token. Turns these messages on.',
    note: 'the account of homeserver.appservice writes, without a token; turns messages on',
    reload: true,
  },
  {
    path: 'notify.webhook.url',
    type: 'text',
    doc: 'Where events are posted to, signed as [Standard Webhooks](https://www.standardwebhooks.com/) says. Setting it turns them on. `http://` is taken for loopback only.',
    example: 'https://hook.example.org',
    note: 'turns it on; http:// is taken only for loopback addresses',
    reload: true,
  },
  {
    path: 'notify.webhook.secret_file',
    type: 'file',
    doc: 'A file with the secret of the signatures: `whsec_` and base64 of 24 to 64 bytes.',
    example: 'hook.secret',
    reload: true,
  },
  {
    path: 'notify.webhook.events',
    type: 'texts',
    doc: 'Which events of the audit: names such as `totp.enabled`, `totp.*`, or `*` for all. Left out, all.',
    example: '[totp.*, operator.*]',
    note: 'left out, all of the audit',
    reload: true,
  },
  {
    path: 'notify.sms.url',
    type: 'text',
    doc: 'The HTTP gateway that sends text messages ([notices.md](notices.md#text-messages)). Setting it turns them on: only for the recovery of accounts, and only to numbers that owners have entered and confirmed. `http://` is taken for loopback only. What `notify.sms.body` may hold may stand in it, too, behind the host.',
    example: 'https://sms.example.org/messages',
    note: 'turns them on; http:// is taken only for loopback addresses',
    reload: true,
  },
  {
    path: 'notify.sms.method',
    type: 'choice',
    choices: ['POST', 'PUT', 'GET'],
    default: 'POST',
    doc: 'The method of its requests. With `GET` there is no body: number and text stand in the URL.',
    note: 'POST, PUT, GET (without a body)',
    reload: true,
  },
  {
    path: 'notify.sms.headers',
    type: 'texts',
    doc: 'Headers of its requests, each as `Name: value`. `{secret}` and `{id}` may stand in a value.',
    example: '["Authorization: Bearer {secret}"]',
    reload: true,
  },
  {
    path: 'notify.sms.format',
    type: 'choice',
    choices: ['json', 'form'],
    default: 'json',
    doc: 'What the body is: `json`, or `form` as `application/x-www-form-urlencoded`.',
    note: 'json, form',
    reload: true,
  },
  {
    path: 'notify.sms.body',
    type: 'text',
    default: '{"to": "{number}", "text": "{text}"}',
    doc: 'The body. `{number}` is the number as in `+4915112345678`, `{digits}` the same without the plus, `{text}` the message, `{id}` what stays the same at each attempt, `{secret}` what `secret_file` holds. In JSON they stand within strings; a form is written as it is sent (`To={number}&Body={text}`, `%2B` for a plus).',
    note: '{number} or {digits}, {text}, {id} and {secret} are filled in',
    reload: true,
  },
  {
    path: 'notify.sms.secret_file',
    type: 'file',
    doc: 'A file with what stands for `{secret}`.',
    example: 'sms.secret',
    reload: true,
  },
  {
    path: 'notify.sms.prefixes',
    type: 'texts',
    doc: 'How numbers begin that owners may enter, such as `+49`: calls and messages to some countries cost much. Left out, all.',
    example: '["+49", "+43"]',
    note: 'left out, numbers of all countries',
    reload: true,
  },
  {
    path: 'notify.retry_first',
    type: 'duration',
    default: '5s',
    min: '1s',
    max: '1h',
    doc: 'The wait before a notice is tried again. It doubles with each attempt, up to an hour.',
    reload: true,
  },
  {
    path: 'notify.give_up_after',
    type: 'duration',
    default: '48h',
    min: '1m',
    max: '30d',
    doc: 'After so long a notice that could not be sent is a dead letter.',
    reload: true,
  },
  {
    path: 'metrics.listen',
    type: 'text',
    doc: 'Address and port of a listener for Prometheus (`/metrics`), health and readiness; left out, there is none. It asks for no password: keep it off public addresses.',
    example: '127.0.0.1:9010',
    note: 'for Prometheus; without a password, so not on a public address',
  },
  {
    path: 'admin.listen',
    type: 'text',
    doc: 'Address and port of the listener of the admin API; left out, there is none. Keep it off public addresses.',
    example: '127.0.0.1:9111',
    note: 'the admin API; not on a public address',
  },
  {
    path: 'admin.tokens_file',
    type: 'text',
    default: 'data/admin_tokens.json',
    doc: 'The file in which `admin token create` keeps what the tokens are checked by. Only its owner may read it.',
    note: 'made by admin token create',
  },
  {
    path: 'audit.keep',
    type: 'duration',
    default: '400d',
    min: '1d',
    max: '36500d',
    doc: 'How long entries of the audit are kept.',
    note: 'how long entries are kept',
  },
  {
    path: 'audit.keep_addresses',
    type: 'duration',
    default: '90d',
    min: '1h',
    max: '36500d',
    doc: 'How long their addresses are kept whole; then `/24` or `/48` is left of each.',
    note: 'how long their addresses are kept whole',
  },
] as const satisfies readonly SettingRow[];

type Row = (typeof SETTINGS)[number];

/** The settings of one type. */
export type PathOfType<Type extends keyof ValueTypes> = Extract<Row, { readonly type: Type }>['path'];

type ValueOf<Each> = Each extends { readonly choices: readonly (infer Choice)[] }
  ? Choice
  : Each extends { readonly type: infer Type extends keyof ValueTypes }
    ? ValueTypes[Type]
    : never;

type Named = { readonly path: string };
type FirstOf<Path> = Path extends `${infer First}.${string}` ? First : Path;
/** The rows of a section, with the rest of their paths. */
type Under<Each, Section extends string> = Each extends { readonly path: `${Section}.${infer Rest}` }
  ? Omit<Each, 'path'> & { readonly path: Rest }
  : never;
type MayBeAbsent<Each> = Each extends { readonly default: unknown }
  ? never
  : Each extends { readonly path: infer Path extends string }
    ? Path extends `${string}.${string}`
      ? never
      : Path
    : never;
type At<Each extends Named, Name extends string> = [Extract<Each, { readonly path: Name }>] extends [never]
  ? SettingsOf<Under<Each, Name>>
  : ValueOf<Extract<Each, { readonly path: Name }>>;
type SettingsOf<Each extends Named> = {
  readonly [Name in Exclude<FirstOf<Each['path']>, MayBeAbsent<Each>> & string]: At<Each, Name>;
} & { readonly [Name in MayBeAbsent<Each>]?: At<Each, Name> };

/** The settings once they have their shape and their defaults. */
export type Settings = SettingsOf<Row>;

/** The row of a setting. */
export function settingAt(path: Row['path']): SettingRow {
  const row = SETTINGS.find((each) => each.path === path);
  if (row === undefined) throw new Error(`there is no setting ${path}`);
  return row;
}
