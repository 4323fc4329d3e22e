/** The version segments under which client-server endpoints are or were served. */
const CLIENT_PREFIXES = ['r0', 'v1', 'v3', 'unstable', 'api/v1'] as const;

/** The prefixes of our own two-factor API (spec/). */
const OWN_PREFIXES = ['r0', 'v3'] as const;
const UNSTABLE = ['unstable'] as const;

/** Where clients look for OAuth (MSC2965 in its time). */
const METADATA_PREFIXES = ['v1', 'unstable/org.matrix.msc2965'] as const;

const KIB = 1024;
const SMALL = 64 * KIB;

/** Key uploads and device lists. */
const LARGE = 1024 * KIB;

export type RouteMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** The shapes that guarded bodies have: `schemas/<name>.json`. */
export type GuardedShape =
  | 'delete_devices_request'
  | 'delete_device_request'
  | 'account_password_request'
  | 'account_deactivate_request'
  | 'threepid_add_request'
  | 'threepid_legacy_request'
  | 'threepid_remove_request'
  | 'device_signing_upload_request'
  | 'get_token_request';

/** What else changes when a guarded request went through. */
export type Consequence =
  | 'password_changed'
  | 'login_token_issued'
  | 'account_deactivated'
  | 'devices_removed'
  | undefined;

/** How an endpoint behind User-Interactive Authentication is guarded (rule R6). */
export interface GuardRules {
  /** What its body must be before anything is sent anywhere (R2). */
  readonly shape: GuardedShape;
  /** Who judges the password: the homeserver in the request itself, or a probe where it asks for none. */
  readonly judge: 'request' | 'probe';
  /** What the specification allows here without an access token: a password reset by e-mail, or nothing. */
  readonly tokenless: 'relayed' | 'refused';
  /** Whether the rules for cross-signing keys apply: first and repeated uploads, fresh logins. */
  readonly signingKeys: boolean;
  /** Whether a step-up of the account page stands for the second factor (docs/security_model.md). */
  readonly stepUp: boolean;
  readonly consequence: Consequence;
}

/** The doors of the house, by what comes in through them: for the log and for counting. */
export type Door = 'login' | 'page' | 'guard' | 'fallback' | 'account' | 'discovery' | 'oauth';

interface PathRow {
  readonly door: Door;
  readonly method: RouteMethod;
  /**
   * Below `/_matrix/client/{prefix}/`, or absolute if it begins with `/`. `{name}` is a parameter: one segment, or
   * the end of one. All literal segments are lower case.
   */
  readonly path: string | readonly string[];
  /** `CLIENT_PREFIXES` where it is left out. */
  readonly prefixes?: readonly string[];
  /** The largest body in bytes. None is read for GET; for other methods it is `SMALL` where it is left out. */
  readonly bodyLimit?: number;
  /** Methods without a row on this path go to the homeserver instead of being refused. */
  readonly othersPass?: true;
  /** Every longer path that begins like this is refused: some homeservers' pattern has no end (attack 4). */
  readonly prefixMatch?: true;
  /** The body is a form from one of our pages, not JSON. */
  readonly form?: true;
  /** Its handler reads query and body by rules of its own: they are neither JSON nor a form here. */
  readonly raw?: true;
  /** The longest query in characters, where it is not `LONGEST_QUERY`. */
  readonly queryLimit?: number;
  /** What a 403 of the homeserver tells the operator here. */
  readonly forbidden?: 'wrong_password';
}

/** A row as it is written. What is guarded has a deed: the page that asks the user for a proof says what it is for. */
export type RouteRow =
  | (PathRow & { readonly guard?: undefined; readonly deed?: string })
  | (PathRow & {
      readonly guard: Partial<GuardRules> & Pick<GuardRules, 'shape'>;
      readonly deed: string;
    });

/** Gated, guarded and own routes: a row each says all of it but the handler, which has the row's id. */
const ROWS = {
  // Sign-in (rules R1 and R2) and the end of it.
  login_flows: { door: 'discovery', method: 'GET', path: 'login' },
  login: { door: 'login', method: 'POST', path: 'login', forbidden: 'wrong_password' },
  register: { door: 'login', method: 'POST', path: 'register' },
  refresh: { door: 'login', method: 'POST', path: 'refresh' },
  logout: { door: 'login', method: 'POST', path: 'logout' },
  logout_all: { door: 'login', method: 'POST', path: 'logout/all' },

  // What the homeserver says about itself and we correct (attack 101).
  versions: { door: 'discovery', method: 'GET', path: '/_matrix/client/versions' },
  well_known_client: { door: 'discovery', method: 'GET', path: '/.well-known/matrix/client' },

  // Guarded endpoints (rule R6).
  delete_devices: {
    door: 'guard',
    method: 'POST',
    path: 'delete_devices',
    bodyLimit: LARGE,
    prefixMatch: true,
    guard: { shape: 'delete_devices_request', stepUp: true, consequence: 'devices_removed' },
    deed: 'remove_devices',
  },
  delete_device: {
    door: 'guard',
    method: 'DELETE',
    path: 'devices/{deviceId}',
    othersPass: true,
    guard: { shape: 'delete_device_request', stepUp: true, consequence: 'devices_removed' },
    deed: 'remove_device',
  },
  change_password: {
    door: 'guard',
    method: 'POST',
    path: 'account/password',
    guard: { shape: 'account_password_request', tokenless: 'relayed', consequence: 'password_changed' },
    deed: 'change_password',
  },
  deactivate_account: {
    door: 'guard',
    method: 'POST',
    path: 'account/deactivate',
    guard: { shape: 'account_deactivate_request', consequence: 'account_deactivated' },
    deed: 'deactivate_account',
  },
  add_threepid: {
    door: 'guard',
    method: 'POST',
    path: 'account/3pid/add',
    guard: { shape: 'threepid_add_request' },
    deed: 'add_address',
  },
  // No homeserver asks for a proof in the next three; but removing an address keeps a warning from the owner.
  add_threepid_legacy: {
    door: 'guard',
    method: 'POST',
    path: 'account/3pid',
    othersPass: true,
    guard: { shape: 'threepid_legacy_request', judge: 'probe' },
    deed: 'add_address',
  },
  delete_threepid: {
    door: 'guard',
    method: 'POST',
    path: 'account/3pid/delete',
    guard: { shape: 'threepid_remove_request', judge: 'probe' },
    deed: 'remove_address',
  },
  unbind_threepid: {
    door: 'guard',
    method: 'POST',
    path: 'account/3pid/unbind',
    guard: { shape: 'threepid_remove_request', judge: 'probe' },
    deed: 'remove_address',
  },
  upload_signing_keys: {
    door: 'guard',
    method: 'POST',
    path: 'keys/device_signing/upload',
    bodyLimit: LARGE,
    guard: { shape: 'device_signing_upload_request', signingKeys: true },
    deed: 'set_signing_keys',
  },
  get_login_token: {
    door: 'guard',
    method: 'POST',
    path: ['login/get_token', 'login/token'],
    prefixes: [...CLIENT_PREFIXES, 'unstable/org.matrix.msc3882'],
    guard: { shape: 'get_token_request', consequence: 'login_token_issued' },
    deed: 'give_login_token',
  },

  // Our own two-factor API (spec/).
  two_factor_state: { door: 'account', method: 'GET', path: 'account/two-factor', prefixes: OWN_PREFIXES },
  turn_off: {
    door: 'account',
    method: 'DELETE',
    path: 'account/two-factor',
    prefixes: OWN_PREFIXES,
    deed: 'turn_off',
  },
  set_up_factor: {
    door: 'account',
    method: 'POST',
    path: 'account/two-factor/{kind}',
    prefixes: OWN_PREFIXES,
    deed: 'set_up_factor',
  },
  confirm_factor: {
    door: 'account',
    method: 'POST',
    path: 'account/two-factor/{kind}/confirm',
    prefixes: OWN_PREFIXES,
  },
  remove_authenticators: {
    door: 'account',
    method: 'DELETE',
    path: 'account/two-factor/{kind}',
    prefixes: OWN_PREFIXES,
    deed: 'remove_authenticators',
  },
  recovery_state: {
    door: 'account',
    method: 'GET',
    path: 'account/two-factor/recovery',
    prefixes: OWN_PREFIXES,
  },
  renew_recovery_codes: {
    door: 'account',
    method: 'POST',
    path: 'account/two-factor/recovery',
    prefixes: OWN_PREFIXES,
    deed: 'renew_recovery_codes',
  },
  delete_recovery_codes: {
    door: 'account',
    method: 'DELETE',
    path: 'account/two-factor/recovery',
    prefixes: OWN_PREFIXES,
    deed: 'delete_recovery_codes',
  },
  rename_authenticator: {
    door: 'account',
    method: 'PUT',
    path: 'org.matrix.2fa/authenticators/{authenticatorId}',
    prefixes: UNSTABLE,
  },
  device_passwords: {
    door: 'account',
    method: 'GET',
    path: 'org.matrix.2fa/device_passwords',
    prefixes: UNSTABLE,
  },
  create_device_password: {
    door: 'account',
    method: 'POST',
    path: 'org.matrix.2fa/device_passwords',
    prefixes: UNSTABLE,
    deed: 'create_device_password',
  },
  rename_device_password: {
    door: 'account',
    method: 'PUT',
    path: 'org.matrix.2fa/device_passwords/{devicePasswordId}',
    prefixes: UNSTABLE,
  },
  revoke_device_password: {
    door: 'account',
    method: 'DELETE',
    path: 'org.matrix.2fa/device_passwords/{devicePasswordId}',
    prefixes: UNSTABLE,
  },
  recovery_contacts: {
    door: 'account',
    method: 'GET',
    path: 'org.matrix.2fa/recovery_contacts',
    prefixes: UNSTABLE,
  },
  change_recovery_contacts: {
    door: 'account',
    method: 'PUT',
    path: 'org.matrix.2fa/recovery_contacts',
    prefixes: UNSTABLE,
    deed: 'change_recovery_contacts',
  },
  delete_recovery_contacts: {
    door: 'account',
    method: 'DELETE',
    path: 'org.matrix.2fa/recovery_contacts',
    prefixes: UNSTABLE,
    deed: 'delete_recovery_contacts',
  },
  recovery_vote: {
    door: 'account',
    method: 'POST',
    path: 'org.matrix.2fa/recovery_vote',
    prefixes: UNSTABLE,
  },
  cast_recovery_vote: {
    door: 'account',
    method: 'PUT',
    path: 'org.matrix.2fa/recovery_vote',
    prefixes: UNSTABLE,
    deed: 'cast_recovery_vote',
  },
  own_policy: { door: 'account', method: 'GET', path: 'org.matrix.2fa/policy', prefixes: UNSTABLE },
  begin_enrolment: {
    door: 'account',
    method: 'POST',
    path: 'org.matrix.2fa/enrolment',
    prefixes: UNSTABLE,
  },
  confirm_enrolment: {
    door: 'account',
    method: 'POST',
    path: 'org.matrix.2fa/enrolment/confirm',
    prefixes: UNSTABLE,
  },
  begin_recovery: {
    door: 'account',
    method: 'POST',
    path: 'org.matrix.2fa/recovery_request',
    prefixes: UNSTABLE,
    forbidden: 'wrong_password',
  },
  recovery_status: {
    door: 'account',
    method: 'POST',
    path: 'org.matrix.2fa/recovery_request/status',
    prefixes: UNSTABLE,
    forbidden: 'wrong_password',
  },
  own_history: { door: 'account', method: 'GET', path: 'org.matrix.2fa/history', prefixes: UNSTABLE },

  // Pages and their files.
  sso_fallback_page: { door: 'fallback', method: 'GET', path: 'auth/m.login.sso/fallback/web' },
  sso_fallback_form: { door: 'fallback', method: 'POST', path: 'auth/m.login.sso/fallback/web', form: true },
  factor_fallback_page: { door: 'fallback', method: 'GET', path: 'auth/m.login.2fa.{kind}/fallback/web' },
  factor_fallback_form: {
    door: 'fallback',
    method: 'POST',
    path: 'auth/m.login.2fa.{kind}/fallback/web',
    form: true,
  },
  oauth_fallback_page: { door: 'fallback', method: 'GET', path: 'auth/m.oauth/fallback/web' },
  oauth_fallback_form: { door: 'fallback', method: 'POST', path: 'auth/m.oauth/fallback/web', form: true },
  enrolment_page: { door: 'fallback', method: 'GET', path: 'auth/m.login.2fa.enrol/fallback/web' },
  enrolment_form: {
    door: 'fallback',
    method: 'POST',
    path: 'auth/m.login.2fa.enrol/fallback/web',
    form: true,
  },
  sso_redirect: { door: 'page', method: 'GET', path: ['login/sso/redirect', 'login/sso/redirect/{idpId}'] },
  provider_return: { door: 'page', method: 'GET', path: '/_2fa/login/provider' },
  provider_approval: { door: 'page', method: 'GET', path: '/_2fa/approve' },
  sign_in_page: { door: 'page', method: 'GET', path: '/_2fa/login' },
  sign_in_form: { door: 'page', method: 'POST', path: '/_2fa/login', form: true },
  replace_page: { door: 'page', method: 'GET', path: '/_2fa/login/replace' },
  contact_page: { door: 'page', method: 'GET', path: '/_2fa/recover/contact' },
  contact_form: { door: 'page', method: 'POST', path: '/_2fa/recover/contact', form: true },
  vote_page: { door: 'page', method: 'GET', path: '/_2fa/recover/vote' },
  authorize_page: {
    door: 'page',
    method: 'GET',
    path: '/_2fa/oauth2/authorize',
    raw: true,
    queryLimit: 16 * KIB,
  },
  link_page: { door: 'page', method: 'GET', path: '/_2fa/link' },
  link_form: { door: 'page', method: 'POST', path: '/_2fa/link', form: true },
  authorize_form: { door: 'page', method: 'POST', path: '/_2fa/oauth2/authorize', form: true },
  account_page: { door: 'page', method: 'GET', path: '/_2fa/account' },
  account_form: { door: 'page', method: 'POST', path: '/_2fa/account', form: true },
  page_session: { door: 'page', method: 'POST', path: '/_2fa/account/session' },
  page_sign_out: { door: 'page', method: 'POST', path: '/_2fa/account/sign-out', form: true },
  recover_page: { door: 'page', method: 'GET', path: '/_2fa/recover' },
  recover_form: { door: 'page', method: 'POST', path: '/_2fa/recover', form: true },
  recover_cancel_page: { door: 'page', method: 'GET', path: '/_2fa/recover/cancel' },
  recover_cancel_form: { door: 'page', method: 'POST', path: '/_2fa/recover/cancel', form: true },
  help_page: { door: 'page', method: 'GET', path: '/_2fa/help' },
  to_account_page: { door: 'page', method: 'GET', path: ['/_2fa', '/_2fa/', '/_2fa/account/'] },
  // What people get for an address below `/_2fa/` that is not there.
  not_found_page: { door: 'page', method: 'GET', path: '/_2fa/not-found' },
  web_asset: { door: 'page', method: 'GET', path: '/_2fa/assets/{version}/{file}' },

  // The OAuth 2.0 API (docs/oauth.md).
  oauth_device: { door: 'login', method: 'POST', path: '/_2fa/oauth2/device', raw: true },
  oauth_token: { door: 'login', method: 'POST', path: '/_2fa/oauth2/token', raw: true },
  oauth_revoke: { door: 'login', method: 'POST', path: '/_2fa/oauth2/revoke', raw: true },
  oauth_metadata: {
    door: 'oauth',
    method: 'GET',
    // The last one is what matrix-js-sdk up to 41 asks before it sends anyone to the page (its oidc-client-ts).
    path: ['auth_metadata', '/.well-known/oauth-authorization-server', '/.well-known/openid-configuration'],
    prefixes: METADATA_PREFIXES,
  },
  oauth_register: { door: 'oauth', method: 'POST', path: '/_2fa/oauth2/register', raw: true },
  oauth_jwks: { door: 'oauth', method: 'GET', path: '/_2fa/oauth2/jwks' },

  health: { door: 'discovery', method: 'GET', path: '/_2fa/health' },
  ready: { door: 'discovery', method: 'GET', path: '/_2fa/ready' },
  // For `doctor`: not there without its nonce.
  probe: { door: 'discovery', method: 'GET', path: '/_2fa/probe' },
} as const satisfies Readonly<Record<string, RouteRow>>;

type Rows = typeof ROWS;
type IdOf<Part> = { [Id in keyof Rows]: Rows[Id] extends Part ? Id : never }[keyof Rows];

export type RouteId = keyof Rows;

/** The routes of guarded endpoints. */
export type GuardedRoute = IdOf<{ readonly guard: object }>;

/** What a request does to an account, for the page that asks its owner for a proof. */
export type Deed = Rows[IdOf<{ readonly deed: string }>]['deed'];

/** One row of the table with its id and what it leaves out. */
export interface Route
  extends Pick<
    PathRow,
    'door' | 'method' | 'othersPass' | 'prefixMatch' | 'form' | 'raw' | 'queryLimit' | 'forbidden'
  > {
  readonly id: RouteId;
  readonly paths: readonly string[];
  readonly prefixes: readonly string[];
  /** 0 if no body is read. */
  readonly bodyLimit: number;
  readonly deed?: Deed | undefined;
  readonly guard?: GuardRules | undefined;
}

/** A client-server endpoint behind User-Interactive Authentication. */
export interface GuardedEndpoint extends GuardRules {
  readonly route: GuardedRoute;
}

const USUAL_GUARD = {
  judge: 'request',
  tokenless: 'refused',
  signingKeys: false,
  stepUp: false,
  consequence: undefined,
} as const;

export const ROUTES: readonly Route[] = Object.entries<RouteRow>(ROWS).map(([id, row]) =>
  routeOf(id as RouteId, row),
);

function routeOf(id: RouteId, { path, ...row }: RouteRow): Route {
  return {
    prefixes: CLIENT_PREFIXES,
    bodyLimit: row.method === 'GET' ? 0 : SMALL,
    ...row,
    id,
    paths: [path].flat(),
    deed: row.deed as Deed | undefined,
    guard: row.guard && { ...USUAL_GUARD, ...row.guard },
  };
}

/** Every guarded endpoint. */
export function guardedEndpoints(): GuardedEndpoint[] {
  return ROUTES.flatMap(({ id, guard }) =>
    guard === undefined ? [] : [{ ...guard, route: id as GuardedRoute }],
  );
}

/**
 * What is refused whatever the method (rule R4): a homeserver's own OAuth would lead clients round us. A path that
 * ends in `/` stands for everything below it.
 */
export const BLOCKED: readonly Pick<Route, 'paths' | 'prefixes'>[] = [
  { paths: ['auth_metadata'], prefixes: CLIENT_PREFIXES.filter((prefix) => prefix !== 'v1') },
  { paths: ['auth_issuer'], prefixes: [...CLIENT_PREFIXES, 'unstable/org.matrix.msc2965'] },
  { paths: ['account/two-factor/'], prefixes: OWN_PREFIXES },
  { paths: ['org.matrix.2fa/'], prefixes: UNSTABLE },
];

const OAUTH_PATH =
  /^\/_2fa\/(oauth2\/|link$)|\/auth_metadata$|^\/\.well-known\/(oauth-authorization-server|openid-configuration)$/;

/** Whether a path is one of the OAuth 2.0 API, and not there while its door is shut (`oauth/oauth_switch.ts`). */
export function isOauthPath(path: string): boolean {
  return OAUTH_PATH.test(path);
}

/** What reaches the homeserver at all (rule R4); everything else is refused. */
export const PASSING_ROOTS: readonly string[] = ['/_matrix/', '/_synapse/client/', '/.well-known/matrix/'];

/** Every path of a row: `path` written out, and the prefix it stands under (empty for absolute paths). */
export interface MountedPath {
  readonly path: string;
  readonly prefix: string;
}

/** Writes the paths of a row out under each of its prefixes. */
export function mountedPaths(row: Pick<Route, 'paths' | 'prefixes'>): MountedPath[] {
  return row.paths.flatMap((path) =>
    path.startsWith('/')
      ? [{ path, prefix: '' }]
      : row.prefixes.map((prefix) => ({ path: `/_matrix/client/${prefix}/${path}`, prefix })),
  );
}

/** Whether a version segment is one that we know. */
export function isKnownPrefix(segment: string): boolean {
  return (CLIENT_PREFIXES as readonly string[]).includes(segment);
}

/** What a guarded route does, by its id as the audit has it; undefined for what has no such id today. */
export function deedOf(id: unknown): Deed | undefined {
  return ROUTES.find((route) => route.id === id && route.guard !== undefined)?.deed;
}
