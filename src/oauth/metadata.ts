import type { Answer } from '../http/answer.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { DEVICE_GRANT } from './registered_client.ts';

/** What the account page can be opened at (client-server API v1.19, "Account management URL discovery"). */
const ACCOUNT_ACTIONS = [
  'org.matrix.devices_list',
  'org.matrix.device_view',
  'org.matrix.device_delete',
  // The names of MSC4191 before they were changed.
  'org.matrix.sessions_list',
  'org.matrix.session_view',
  'org.matrix.session_end',
  'org.matrix.account_deactivate',
  'org.matrix.cross_signing_reset',
];

const CACHED = { 'Cache-Control': 'public, max-age=300' } as const;

/** The name of this server in OAuth: what clients compare, with its slash at the end. */
export function issuerOf(publicBaseUrl: string): string {
  return `${publicBaseUrl}/`;
}

/** What clients are told of this server (RFC 8414). Its addresses are the configured one, whatever a request says. */
export function serverMetadata(publicBaseUrl: string, hasDeviceGrant: boolean): JsonObject {
  const endpoint = (name: string) => `${publicBaseUrl}/_2fa/oauth2/${name}`;
  return {
    issuer: issuerOf(publicBaseUrl),
    authorization_endpoint: endpoint('authorize'),
    token_endpoint: endpoint('token'),
    registration_endpoint: endpoint('register'),
    revocation_endpoint: endpoint('revoke'),
    jwks_uri: endpoint('jwks'),
    ...(hasDeviceGrant && { device_authorization_endpoint: endpoint('device') }),
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment'],
    grant_types_supported: ['authorization_code', 'refresh_token', ...(hasDeviceGrant ? [DEVICE_GRANT] : [])],
    code_challenge_methods_supported: ['S256'],
    token_endpoint_auth_methods_supported: ['none'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    authorization_response_iss_parameter_supported: true,
    account_management_uri: `${publicBaseUrl}/_2fa/account`,
    account_management_actions_supported: ACCOUNT_ACTIONS,
  };
}

/** An answer that is the same for everyone, and may be kept for some minutes. */
export function publicAnswer(body: JsonObject): Answer {
  return { status: 200, headers: CACHED, body };
}
