import { isIP } from 'node:net';
import type { WebauthnConfig } from './config.ts';
import type { Settings } from './settings.ts';
import type { SettingPath } from './source.ts';
import { BadValue, parseOrigin } from './values.ts';

const LABEL = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/;

/**
 * Passkeys and security keys. Undefined: they are off, also where the public host is an IP address, to which browsers bind
 * none, and no other domain is given.
 */
export function webauthnFrom(
  settings: Settings['webauthn'],
  publicBaseUrl: string,
  at: <T>(path: SettingPath, read: () => T) => T,
  hasAppservice: boolean,
): WebauthnConfig | undefined {
  const given = settings.rp_id;
  const rpId = at(['webauthn', 'rp_id'], () => rpIdIn(given, new URL(publicBaseUrl).hostname));
  const written = settings.origins.map((origin, index) =>
    at(['webauthn', 'origins', index], () => ownOrigin(origin, rpId)),
  );
  const isOff = !settings.enabled || rpId === undefined;
  const passwordless = at(['webauthn', 'passwordless'], () =>
    isPasswordless(settings.passwordless, isOff, hasAppservice),
  );
  if (isOff) return undefined;
  const origins =
    written.length > 0 ? written : [at(['webauthn', 'rp_id'], () => ownOrigin(publicBaseUrl, rpId))];
  return {
    rpId,
    rpName: settings.rp_name ?? rpId,
    origins,
    userVerification: settings.user_verification,
    passwordless,
  };
}

/** What cannot work is said at the start, not at the first sign-in. */
function isPasswordless(wanted: boolean, isOff: boolean, hasAppservice: boolean): boolean {
  if (!wanted) return false;
  if (isOff) throw new BadValue('needs passkeys, which are off');
  if (!hasAppservice) {
    throw new BadValue('needs homeserver.appservice, by which users are logged in without a password');
  }
  return true;
}

/** Undefined if none is given and the public host cannot be one. */
function rpIdIn(given: string | undefined, publicHost: string): string | undefined {
  if (given === undefined) return isDomain(publicHost) ? publicHost : undefined;
  if (!isDomain(given)) throw new BadValue('must be a domain name, or localhost');
  return given;
}

function isDomain(name: string): boolean {
  return isIP(name) === 0 && !name.startsWith('[') && name.split('.').every((label) => LABEL.test(label));
}

/** An origin as browsers write it: they do so in one way, and no other is ever right. */
function ownOrigin(value: string, rpId: string | undefined): string {
  const origin = parseOrigin(value);
  if (origin !== value) throw new BadValue(`must be written as browsers do: ${origin}`);
  const { protocol, hostname } = new URL(origin);
  if (protocol === 'http:' && hostname !== 'localhost') {
    throw new BadValue('must begin with https:// (http:// is for localhost only)');
  }
  if (rpId !== undefined && hostname !== rpId && !hostname.endsWith(`.${rpId}`)) {
    throw new BadValue(`must have ${rpId} as its host, or a name below it`);
  }
  return origin;
}
