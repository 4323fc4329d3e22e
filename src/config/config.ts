import type { Weekday } from '../calendar/calendar.ts';
import type { HolidaySource } from '../calendar/calendar_data.ts';
import type { StorageSettings } from '../storage/open_storage.ts';
import type { Language } from '../system/languages.ts';
import type { PolicyMode } from './settings.ts';

/** Our registration as an application service of the homeserver. */
export interface OwnRegistration {
  readonly file: string;
  readonly asToken: string;
}

/**
 * The configuration after it was read, checked and filled up with defaults: paths are absolute, durations are
 * milliseconds. `docs/configure.md` says what each setting is for.
 */
export interface Config {
  readonly listen: ListenAddress;
  /** What clients use: an origin without a slash at the end. */
  readonly publicBaseUrl: string;
  readonly homeserver: {
    /** An origin without a slash at the end. */
    readonly url: string;
    /** Undefined: no login in the name of a user. */
    readonly appservice: OwnRegistration | undefined;
  };
  readonly storage: StorageSettings;
  readonly keys: KeysConfig;
  /** Addresses and CIDR ranges of hops whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly applicationServices: readonly ApplicationService[];
  readonly totp: TotpConfig;
  /** Undefined: passkeys and security keys are off. */
  readonly webauthn: WebauthnConfig | undefined;
  /** Whether the operator asks for them: a setting of theirs is written, and they are not turned off. */
  readonly webauthnWanted: boolean;
  readonly recovery: {
    /** Codes in a set. */
    readonly count: number;
  };
  readonly login: LoginConfig;
  readonly uia: UiaConfig;
  readonly account: AccountPageConfig;
  readonly devicePasswords: DevicePasswordConfig;
  readonly limits: LimitsConfig;
  readonly policy: PolicyConfig;
  readonly accountRecovery: AccountRecoveryConfig;
  readonly sso: SsoConfig;
  readonly oauth: OauthConfig;
  readonly brand: BrandConfig;
  readonly log: LogConfig;
  readonly notify: NotifyConfig;
  /** Undefined: no listener for metrics. */
  readonly metrics: { readonly listen: ListenAddress | undefined };
  /** `listen` undefined: no admin API. */
  readonly admin: { readonly listen: ListenAddress | undefined; readonly tokensFile: string };
  /** How long entries of the audit are kept, and how long their addresses whole. */
  readonly audit: { readonly keepMs: number; readonly keepAddressesMs: number };
}

/** The keys, outside the database, and the file for what is remembered of databases if that is not the key file. */
export interface KeysConfig {
  readonly source:
    | { readonly file: string }
    | { readonly credential: string; readonly folder: string | undefined }
    | { readonly command: readonly [string, ...string[]]; readonly timeoutMs: number };
  readonly marks: string | undefined;
}

export interface ListenAddress {
  /** A name or an address; IPv6 without brackets. */
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** A registered application service: a request with its token is let through as the operator's own. */
export interface ApplicationService {
  readonly id: string;
  readonly asToken: string;
}

export interface TotpConfig {
  /** The name that authenticator apps show. */
  readonly issuer: string;
  /** Steps accepted before and after the present one. */
  readonly window: number;
  readonly algorithm: 'sha1' | 'sha256' | 'sha512';
  readonly digits: number;
  readonly periodMs: number;
}

export interface WebauthnConfig {
  /** The domain that credentials are bound to. */
  readonly rpId: string;
  readonly rpName: string;
  readonly origins: readonly string[];
  readonly userVerification: 'required' | 'preferred' | 'discouraged';
  /** Whether users can sign in by a passkey alone. */
  readonly passwordless: boolean;
}

export interface LoginConfig {
  /** Whether a code may be appended to the password. */
  readonly appendedCode: boolean;
  /** Whether the sign-in page is offered. */
  readonly sso: boolean;
  readonly holdTtlMs: number;
}

export interface UiaConfig {
  readonly sessionTtlMs: number;
  /** Beyond it the oldest sessions are dropped. */
  readonly maxSessions: number;
}

export interface DevicePasswordConfig {
  readonly enabled: boolean;
  readonly maxPerUser: number;
}

/** Times of the account page's own sessions, in ms. */
export interface AccountPageConfig {
  /** How long a second factor that was accepted on the page stands; 0 for not at all. */
  readonly stepUpMs: number;
  readonly idleMs: number;
  readonly lifetimeMs: number;
}

export interface LimitsConfig {
  /** Attempts to sign in or to prove a factor from one address. */
  readonly perAddress: RateLimit;
  /** Logins of one user that are held back for a second factor. */
  readonly signInPerUser: RateLimit;
  /** Wrong attempts after which a session is dead. */
  readonly sessionFailures: number;
}

/** When a grace ends: so long after it began, or at a moment. */
export type Grace = { readonly durationMs: number } | { readonly until: number };

/** What one part of the policy says; what it leaves out, others say. */
export interface PolicyRule {
  readonly mode?: PolicyMode | undefined;
  readonly grace?: Grace | undefined;
  readonly afterGrace?: 'enrol' | 'block' | undefined;
  /** Kinds of factors that may be added. */
  readonly factors?: readonly string[] | undefined;
  readonly recoveryCodes?: 'required' | 'optional' | 'off' | undefined;
  readonly codesForChanges?: boolean | undefined;
  readonly accountRecovery?: 'allowed' | 'forbidden' | undefined;
  readonly devicePasswords?: 'allowed' | 'forbidden' | undefined;
}

/** Who must have two-factor authentication (docs/policy.md). Members are user ids; `*` stands in their local parts. */
export interface PolicyConfig {
  /** Has every key but `factors`, which may be left out: all. */
  readonly default: PolicyRule;
  readonly users: Readonly<Record<string, PolicyRule>>;
  readonly administrators: {
    readonly rule: PolicyRule;
    readonly members: readonly string[];
    /** Whether the homeserver is asked who they are. */
    readonly detect: boolean;
  };
  readonly groups: readonly {
    readonly name: string;
    readonly members: readonly string[];
    readonly rule: PolicyRule;
  }[];
  readonly registrationGraceMs: number;
  /** Whether sessions of anyone may be refused: asked for every request that is passed on. */
  readonly blocksSessions: boolean;
  /** Whether accounts without a password can set a second factor up: then it is required of them like of others. */
  readonly enrolsWithoutPassword: boolean;
}

/** The delayed recovery of an account (docs/recover.md). */
export interface AccountRecoveryConfig {
  readonly enabled: boolean;
  readonly waitMs: number;
  readonly claimWindowMs: number;
  /** Whether administrators of the homeserver may use it. */
  readonly administrators: boolean;
  readonly noticeEveryMs: number;
  readonly onSessionUse: 'notify' | 'cancel';
  /** Matrix ids and mail addresses. */
  readonly operators: readonly string[];
  readonly roomAdmins: boolean;
  readonly publicNotice: boolean;
  readonly calendar: RecoveryCalendarConfig;
  readonly vouch: { readonly enabled: boolean; readonly waitMs: number };
  readonly votes: {
    readonly enabled: boolean;
    readonly quorum: number;
    readonly waitMs: number;
    readonly nominationAgeMs: number;
  };
}

export interface RecoveryCalendarConfig {
  /** The time zone of users who have set none: an IANA name. */
  readonly timeZone: string;
  readonly workWeek: readonly Weekday[];
  readonly holidays: HolidaySource | undefined;
  readonly absences: boolean;
}

/** A token bucket, written as in Synapse. */
export interface RateLimit {
  readonly perSecond: number;
  readonly burstCount: number;
}

export interface SsoConfig {
  /** What clients write on the button. */
  readonly name: string;
  /** Whether clients that know one of its flags show that button alone. Undefined: while apps can sign in by OAuth. */
  readonly preferred: boolean | undefined;
  /** Clients that need no confirmation: origins (`https://app.example.org`) or schemes (`io.example.app:`). */
  readonly clients: readonly string[];
}

/** Sign-in by the OAuth 2.0 API (docs/oauth.md). */
export interface OauthConfig {
  readonly enabled: boolean;
  readonly deviceGrant: boolean;
  /** Whether the homeserver is asked for refresh tokens. */
  readonly homeserverRefreshTokens: boolean;
  /** How many apps may be registered. */
  readonly maxClients: number;
}

/** Whose pages these are. */
export interface BrandConfig {
  readonly name: string;
  /** Read at the start; undefined: the icon of this program. */
  readonly logo: Picture | undefined;
  /** `#rrggbb`, in lower case. */
  readonly colour: string;
  /** Where people find help who have lost everything: `https:` or `mailto:`. */
  readonly helpUrl: string | undefined;
  readonly privacyUrl: string | undefined;
  readonly showVersion: boolean;
  /** The tag of a language, for readers who ask for none that there is. */
  readonly language: string;
  readonly german: 'du' | 'sie';
  /** Texts of the operator. Whether their keys are keys of the pages is not checked yet. */
  readonly texts: readonly TextsFile[];
}

/** A file with texts of the operator in one language. */
export interface TextsFile {
  /** The tag of the language, from the name of the file. */
  readonly language: string;
  readonly file: string;
  readonly texts: Readonly<Record<string, string>>;
  /** Where a text stands, as in `de.yaml:7: signIn.title`. */
  readonly where: (key: string) => string;
}

export interface Picture {
  readonly mediaType: string;
  readonly bytes: Buffer;
}

export interface LogConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'json' | 'pretty';
}

/** Who is told of changes, and how: a channel is undefined where it is off. */
export interface NotifyConfig {
  /** For owners who have visited none of our pages. */
  readonly language: Language;
  readonly mail: MailConfig | undefined;
  readonly matrix: MatrixConfig | undefined;
  readonly webhook: WebhookConfig | undefined;
  readonly sms: SmsConfig | undefined;
  /** The wait before the second attempt; it doubles with each further one. */
  readonly retryFirstMs: number;
  readonly giveUpAfterMs: number;
}

export interface MailConfig {
  readonly from: string;
  readonly host: string;
  readonly port: number;
  readonly security: 'none' | 'starttls' | 'tls';
  readonly credentials: { readonly user: string; readonly password: string } | undefined;
}

export interface MatrixConfig {
  /** Who writes to the users; undefined: the account of our registration. */
  readonly userId: string | undefined;
  readonly accessToken: string;
}

export interface WebhookConfig {
  readonly url: string;
  /** What its requests are signed with. */
  readonly secret: Buffer;
  /** Names of events; with `*` at their end all that begin so. */
  readonly events: readonly string[];
}

/** The HTTP gateway for text messages. In `url`, `headers` and `body` stand placeholders (`placeholders.ts`). */
export interface SmsConfig {
  readonly url: string;
  readonly method: 'POST' | 'PUT' | 'GET';
  readonly headers: Readonly<Record<string, string>>;
  readonly format: 'json' | 'form';
  readonly body: string;
  /** What stands for `{secret}`. */
  readonly secret: string | undefined;
  /** How numbers begin that are taken; undefined: all. */
  readonly prefixes: readonly string[] | undefined;
}

/** A configuration that cannot be used. Its message is one line that says what and where. */
export class ConfigError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ConfigError';
  }
}
