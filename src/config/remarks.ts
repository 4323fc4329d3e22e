import type { Config } from './config.ts';

/** Settings that are valid but seldom intended. */
export function remarksOn(config: Config): string[] {
  const remarks: string[] = [];
  if (config.publicBaseUrl.startsWith('https:') && config.trustedProxies.length === 0) {
    remarks.push(
      'trusted_proxies is empty: behind a web server all clients would seem to have its address and share one limit',
    );
  }
  if (config.homeserver.url === config.publicBaseUrl) {
    remarks.push(
      'homeserver.url is public_base_url: name an address of the homeserver itself, or requests come back here without end',
    );
  }
  if (!config.login.appendedCode && !config.login.sso) {
    remarks.push(
      'login.appended_code and login.sso are both off: users with 2FA can sign in only with clients that know it',
    );
  }
  if (config.webauthnWanted && config.webauthn === undefined) {
    remarks.push(
      'passkeys are off: browsers bind none to an IP address; give a domain in public_base_url or webauthn.rp_id, or set webauthn.enabled: false',
    );
  }
  const { mail, matrix } = config.notify;
  if (config.accountRecovery.enabled && mail === undefined && matrix === undefined) {
    remarks.push(
      'account_recovery is on without notify.mail and notify.matrix: no owner is told of one, and a thief who knows the password need only wait',
    );
  }
  const { rule, detect } = config.policy.administrators;
  const { enabled, administrators } = config.accountRecovery;
  if (detect && (Object.keys(rule).length > 0 || (enabled && !administrators))) {
    remarks.push(
      'policy.administrators asks the homeserver who they are; Dendrite does not say: name them in members there',
    );
  }
  return remarks;
}
