/** Every key that some homeserver reads in a gated body, at whatever level. */
const KNOWN_KEYS: ReadonlySet<string> = new Set([
  // Sign-in and registration
  'type',
  'identifier',
  'user',
  'medium',
  'address',
  'country',
  'phone',
  'number',
  'password',
  'token',
  'device_id',
  'initial_device_display_name',
  'refresh_token',
  'username',
  'inhibit_login',
  'guest_access_token',
  // Authentication data
  'auth',
  'session',
  'response',
  'threepid_creds',
  'three_pid_creds',
  'sid',
  'client_secret',
  'id_server',
  'id_access_token',
  // What guarded endpoints are about
  'devices',
  'new_password',
  'logout_devices',
  'erase',
  'bind',
  'master_key',
  'self_signing_key',
  'user_signing_key',
]);

const FOLDED_KEYS: ReadonlySet<string> = new Set([...KNOWN_KEYS].map(fold));
/** Folding makes no text shorter: a longer key imitates none. */
const LONGEST_KEY = Math.max(...[...KNOWN_KEYS].map((key) => key.length));

/**
 * Whether no homeserver knows `key`, but it folds to a key that they know (case, U+017F, U+212A): Dendrite matches keys
 * so, and would read a device or a user that we did not see (R2, attack 14).
 */
export function imitatesKnownKey(key: string): boolean {
  return key.length <= LONGEST_KEY && !KNOWN_KEYS.has(key) && FOLDED_KEYS.has(fold(key));
}

/** Upper case first: it turns U+017F into S; lower case then turns U+212A into k. */
function fold(key: string): string {
  return key.toUpperCase().toLowerCase();
}
