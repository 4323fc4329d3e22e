import { createHash } from 'node:crypto';
import type { Config } from './config.ts';

/**
 * A digest of the settings that must be the same in all processes on one database: what users, codes and sessions are
 * judged by. Addresses, paths, looks and secrets are not in it.
 */
export function digestOfSettings(config: Config): string {
  const {
    publicBaseUrl,
    totp,
    webauthn,
    recovery,
    login,
    uia,
    account,
    limits,
    policy,
    applicationServices,
  } = config;
  const services = applicationServices.map(({ id }) => id);
  const text = JSON.stringify({
    publicBaseUrl,
    totp,
    webauthn,
    recovery,
    login,
    uia,
    account,
    limits,
    policy,
    services,
  });
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
