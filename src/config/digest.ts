import { createHash } from 'node:crypto';
import type { Config } from './config.ts';

/**
 * What processes on one database may differ in: addresses, paths and secrets of a machine, what is shown, and what is
 * told. `webauthnWanted` says no more than `webauthn`.
 */
type OwnToProcess =
  | 'listen'
  | 'storage'
  | 'keys'
  | 'trustedProxies'
  | 'webauthnWanted'
  | 'brand'
  | 'log'
  | 'notify'
  | 'metrics'
  | 'admin';

/** A new section of the configuration has to stand here or above. */
type Shared = Record<Exclude<keyof Config, OwnToProcess>, unknown>;

/** What users, codes and sessions are judged by. */
function sharedSettings(config: Config): Shared {
  return {
    publicBaseUrl: config.publicBaseUrl,
    // Its address may be another one from each machine.
    homeserver: { hasAppservice: config.homeserver.appservice !== undefined },
    applicationServices: config.applicationServices.map(({ id }) => id),
    totp: config.totp,
    webauthn: config.webauthn,
    recovery: config.recovery,
    login: config.login,
    uia: config.uia,
    account: config.account,
    devicePasswords: config.devicePasswords,
    limits: config.limits,
    policy: config.policy,
    accountRecovery: config.accountRecovery,
    sso: { clients: config.sso.clients },
    oauth: config.oauth,
    audit: config.audit,
  };
}

/** A digest of the settings that must be the same in all processes on one database. */
export function digestOfSettings(config: Config): string {
  return createHash('sha256')
    .update(JSON.stringify(sharedSettings(config)))
    .digest('hex')
    .slice(0, 16);
}
