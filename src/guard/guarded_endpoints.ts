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
export type Consequence = 'password_changed' | 'login_token_issued' | undefined;

/** A client-server endpoint behind User-Interactive Authentication: a row says all there is to know of it. */
export interface GuardedEndpoint {
  /** The route that leads here. */
  readonly route: string;
  /** What its body must be before anything is sent anywhere (R2). */
  readonly shape: GuardedShape;
  /** Who judges the password: the homeserver in the request itself, or a probe where it asks for none. */
  readonly judge: 'request' | 'probe';
  /** What the specification allows here without an access token: a password reset by e-mail, or nothing. */
  readonly tokenless: 'relayed' | 'refused';
  /** Whether the rules for cross-signing keys apply (DESIGN §4: first and repeated uploads, fresh logins). */
  readonly signingKeys: boolean;
  readonly consequence: Consequence;
}

const USUAL = {
  judge: 'request',
  tokenless: 'refused',
  signingKeys: false,
  consequence: undefined,
} as const;

/** Every guarded endpoint, a row each (client-server API; the last three are ours, see DESIGN R6). */
export const GUARDED_ENDPOINTS = [
  { ...USUAL, route: 'delete_devices', shape: 'delete_devices_request' },
  { ...USUAL, route: 'delete_device', shape: 'delete_device_request' },
  {
    ...USUAL,
    route: 'change_password',
    shape: 'account_password_request',
    tokenless: 'relayed',
    consequence: 'password_changed',
  },
  { ...USUAL, route: 'deactivate_account', shape: 'account_deactivate_request' },
  { ...USUAL, route: 'add_threepid', shape: 'threepid_add_request' },
  { ...USUAL, route: 'upload_signing_keys', shape: 'device_signing_upload_request', signingKeys: true },
  { ...USUAL, route: 'get_login_token', shape: 'get_token_request', consequence: 'login_token_issued' },
  // No homeserver asks for a proof here; but who removes the address removes where the owner would be warned.
  { ...USUAL, route: 'add_threepid_legacy', shape: 'threepid_legacy_request', judge: 'probe' },
  { ...USUAL, route: 'delete_threepid', shape: 'threepid_remove_request', judge: 'probe' },
  { ...USUAL, route: 'unbind_threepid', shape: 'threepid_remove_request', judge: 'probe' },
] as const satisfies readonly GuardedEndpoint[];

export type GuardedRoute = (typeof GUARDED_ENDPOINTS)[number]['route'];
