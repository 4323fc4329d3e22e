/** The version segments under which client-server endpoints are or were served. */
const CLIENT_PREFIXES = ['r0', 'v1', 'v3', 'unstable', 'api/v1'] as const;

/** The prefixes of our own two-factor API (DESIGN §5). */
const OWN_PREFIXES = ['r0', 'v3'] as const;

const KIB = 1024;
const SMALL = 64 * KIB;

/** Key uploads and device lists. */
const LARGE = 1024 * KIB;

export type RouteMethod = 'GET' | 'POST' | 'PUT' | 'DELETE';

interface RouteRow {
  readonly id: string;
  readonly method: RouteMethod;
  /**
   * Below `/_matrix/client/{prefix}/`, or absolute if it begins with `/`. `{name}` is a parameter: one segment.
   * All literal segments are lower case.
   */
  readonly templates: readonly string[];
  readonly prefixes: readonly string[];
  /** The largest body in bytes; 0 if none is read. */
  readonly bodyLimit: number;
  /** Methods without a row on this path go to the homeserver instead of being refused. */
  readonly othersPass?: true;
  /** Every longer path that begins like this is refused: some homeservers' pattern has no end (attack 4). */
  readonly prefixMatch?: true;
  /** The body is a form from a page of ours and no JSON. */
  readonly form?: true;
}

/** Gated, guarded and own routes: a row each. Each needs a handler of its id. */
export const ROUTES = [
  // Sign-in (rules R1 and R2) and the end of it.
  { id: 'login_flows', method: 'GET', templates: ['login'], prefixes: CLIENT_PREFIXES, bodyLimit: 0 },
  { id: 'login', method: 'POST', templates: ['login'], prefixes: CLIENT_PREFIXES, bodyLimit: SMALL },
  { id: 'register', method: 'POST', templates: ['register'], prefixes: CLIENT_PREFIXES, bodyLimit: SMALL },
  { id: 'refresh', method: 'POST', templates: ['refresh'], prefixes: CLIENT_PREFIXES, bodyLimit: SMALL },
  { id: 'logout', method: 'POST', templates: ['logout'], prefixes: CLIENT_PREFIXES, bodyLimit: SMALL },
  {
    id: 'logout_all',
    method: 'POST',
    templates: ['logout/all'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: SMALL,
  },

  // What the homeserver says about itself and we correct (attack 101).
  { id: 'versions', method: 'GET', templates: ['/_matrix/client/versions'], prefixes: [], bodyLimit: 0 },
  {
    id: 'well_known_client',
    method: 'GET',
    templates: ['/.well-known/matrix/client'],
    prefixes: [],
    bodyLimit: 0,
  },

  // Guarded endpoints (rule R6).
  {
    id: 'delete_devices',
    method: 'POST',
    templates: ['delete_devices'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: LARGE,
    prefixMatch: true,
  },
  {
    id: 'delete_device',
    method: 'DELETE',
    templates: ['devices/{deviceId}'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: SMALL,
    othersPass: true,
  },
  {
    id: 'change_password',
    method: 'POST',
    templates: ['account/password'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: SMALL,
  },
  {
    id: 'deactivate_account',
    method: 'POST',
    templates: ['account/deactivate'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: SMALL,
  },
  {
    id: 'add_threepid',
    method: 'POST',
    templates: ['account/3pid/add'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: SMALL,
  },
  {
    id: 'add_threepid_legacy',
    method: 'POST',
    templates: ['account/3pid'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: SMALL,
    othersPass: true,
  },
  {
    id: 'delete_threepid',
    method: 'POST',
    templates: ['account/3pid/delete'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: SMALL,
  },
  {
    id: 'unbind_threepid',
    method: 'POST',
    templates: ['account/3pid/unbind'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: SMALL,
  },
  {
    id: 'upload_signing_keys',
    method: 'POST',
    templates: ['keys/device_signing/upload'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: LARGE,
  },
  {
    id: 'get_login_token',
    method: 'POST',
    templates: ['login/get_token', 'login/token'],
    prefixes: [...CLIENT_PREFIXES, 'unstable/org.matrix.msc3882'],
    bodyLimit: SMALL,
  },

  // Our own two-factor API (DESIGN §5).
  {
    id: 'two_factor_state',
    method: 'GET',
    templates: ['account/two-factor'],
    prefixes: OWN_PREFIXES,
    bodyLimit: 0,
  },
  {
    id: 'set_up_totp',
    method: 'POST',
    templates: ['account/two-factor/totp'],
    prefixes: OWN_PREFIXES,
    bodyLimit: SMALL,
  },
  {
    id: 'confirm_totp',
    method: 'POST',
    templates: ['account/two-factor/totp/confirm'],
    prefixes: OWN_PREFIXES,
    bodyLimit: SMALL,
  },
  {
    id: 'remove_totp',
    method: 'DELETE',
    templates: ['account/two-factor/totp'],
    prefixes: OWN_PREFIXES,
    bodyLimit: SMALL,
  },
  {
    id: 'recovery_state',
    method: 'GET',
    templates: ['account/two-factor/recovery'],
    prefixes: OWN_PREFIXES,
    bodyLimit: 0,
  },
  {
    id: 'renew_recovery_codes',
    method: 'POST',
    templates: ['account/two-factor/recovery'],
    prefixes: OWN_PREFIXES,
    bodyLimit: SMALL,
  },
  {
    id: 'delete_recovery_codes',
    method: 'DELETE',
    templates: ['account/two-factor/recovery'],
    prefixes: OWN_PREFIXES,
    bodyLimit: SMALL,
  },
  {
    id: 'rename_authenticator',
    method: 'PUT',
    templates: ['org.matrix.2fa/authenticators/{authenticatorId}'],
    prefixes: ['unstable'],
    bodyLimit: SMALL,
  },
  {
    id: 'own_history',
    method: 'GET',
    templates: ['org.matrix.2fa/history'],
    prefixes: ['unstable'],
    bodyLimit: 0,
  },

  // Pages and their files.
  {
    id: 'sso_fallback_page',
    method: 'GET',
    templates: ['auth/m.login.sso/fallback/web'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: 0,
  },
  {
    id: 'sso_fallback_form',
    method: 'POST',
    templates: ['auth/m.login.sso/fallback/web'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: SMALL,
    form: true,
  },
  {
    id: 'totp_fallback_page',
    method: 'GET',
    templates: ['auth/m.login.2fa.totp/fallback/web'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: 0,
  },
  {
    id: 'totp_fallback_form',
    method: 'POST',
    templates: ['auth/m.login.2fa.totp/fallback/web'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: SMALL,
    form: true,
  },
  {
    id: 'recovery_fallback_page',
    method: 'GET',
    templates: ['auth/m.login.2fa.recovery/fallback/web'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: 0,
  },
  {
    id: 'recovery_fallback_form',
    method: 'POST',
    templates: ['auth/m.login.2fa.recovery/fallback/web'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: SMALL,
    form: true,
  },
  {
    id: 'sso_redirect',
    method: 'GET',
    templates: ['login/sso/redirect', 'login/sso/redirect/{idpId}'],
    prefixes: CLIENT_PREFIXES,
    bodyLimit: 0,
  },
  {
    id: 'provider_return',
    method: 'GET',
    templates: ['/_2fa/login/provider'],
    prefixes: [],
    bodyLimit: 0,
  },
  { id: 'sign_in_page', method: 'GET', templates: ['/_2fa/login'], prefixes: [], bodyLimit: 0 },
  {
    id: 'sign_in_form',
    method: 'POST',
    templates: ['/_2fa/login'],
    prefixes: [],
    bodyLimit: SMALL,
    form: true,
  },
  { id: 'account_page', method: 'GET', templates: ['/_2fa/account'], prefixes: [], bodyLimit: 0 },
  {
    id: 'web_asset',
    method: 'GET',
    templates: ['/_2fa/assets/{version}/{file}'],
    prefixes: [],
    bodyLimit: 0,
  },

  { id: 'health', method: 'GET', templates: ['/_2fa/health'], prefixes: [], bodyLimit: 0 },
  { id: 'ready', method: 'GET', templates: ['/_2fa/ready'], prefixes: [], bodyLimit: 0 },
] as const satisfies readonly RouteRow[];

export type RouteId = (typeof ROUTES)[number]['id'];

/** One row of the table, with its id known. */
export type Route = RouteRow & { readonly id: RouteId };

/**
 * What is refused whatever the method (rule R4): a homeserver's own OAuth would lead clients round us. A path that
 * ends in `/` stands for everything below it.
 */
export const BLOCKED: readonly {
  readonly templates: readonly string[];
  readonly prefixes: readonly string[];
}[] = [
  {
    templates: ['auth_metadata', 'auth_issuer'],
    prefixes: [...CLIENT_PREFIXES, 'unstable/org.matrix.msc2965'],
  },
  { templates: ['account/two-factor/'], prefixes: OWN_PREFIXES },
  { templates: ['org.matrix.2fa/'], prefixes: ['unstable'] },
];

/** What reaches the homeserver at all (rule R4); everything else is refused. */
export const PASSING_ROOTS: readonly string[] = ['/_matrix/', '/_synapse/client/', '/.well-known/matrix/'];

/** Every path of a row: `path` written out, and the prefix it stands under (empty for absolute templates). */
export interface MountedPath {
  readonly path: string;
  readonly prefix: string;
}

/** Writes the templates of a row out under each of its prefixes. */
export function mountedPaths(row: Pick<RouteRow, 'templates' | 'prefixes'>): MountedPath[] {
  return row.templates.flatMap((template) =>
    template.startsWith('/')
      ? [{ path: template, prefix: '' }]
      : row.prefixes.map((prefix) => ({ path: `/_matrix/client/${prefix}/${template}`, prefix })),
  );
}

/** Whether a version segment is one that we know. */
export function isKnownPrefix(segment: string): boolean {
  return (CLIENT_PREFIXES as readonly string[]).includes(segment);
}
