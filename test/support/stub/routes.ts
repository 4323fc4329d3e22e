import {
  addAddress,
  addAddressOfOld,
  changePassword,
  deactivate,
  listAddresses,
  removeAddress,
} from './endpoints/account.ts';
import { deleteDevice, deleteDevices, listDevices, renameDevice, showDevice } from './endpoints/devices.ts';
import {
  administration,
  authMetadata,
  capabilities,
  echo,
  type HeldSyncs,
  type StubMedia,
  serverVersion,
  versions,
  wellKnown,
} from './endpoints/general.ts';
import { queryKeys, uploadDeviceKeys, uploadSigningKeys } from './endpoints/keys.ts';
import { login, loginFlows } from './endpoints/login.ts';
import { getLoginToken } from './endpoints/login_token.ts';
import { register } from './endpoints/register.ts';
import { logout, logoutAll, refresh, whoami } from './endpoints/sessions.ts';
import { ssoFallback, ssoProvider, ssoRedirect } from './endpoints/sso.ts';
import type { ANSWERED_BY_HAND, Exchange, StubAnswer } from './exchange.ts';
import type { Home } from './home.ts';
import type { EndpointName, RoutingRules } from './personality.ts';

export type StubEndpoint = (exchange: Exchange, home: Home) => StubAnswer | typeof ANSWERED_BY_HAND;

/** One endpoint at one full path. */
export interface Route {
  readonly name: EndpointName;
  readonly method: string;
  readonly template: string;
  readonly endpoint: StubEndpoint;
}

type Row = readonly [EndpointName, method: string, suffix: string, StubEndpoint];

const ANY_METHOD = '*';

const CLIENT_ROWS: readonly Row[] = [
  ['login', 'GET', '/login', loginFlows],
  ['login', 'POST', '/login', login],
  ['sso', 'GET', '/login/sso/redirect', ssoRedirect],
  ['sso', 'GET', '/login/sso/redirect/{idp}', ssoRedirect],
  ['sso', 'GET', '/auth/m.login.sso/fallback/web', ssoFallback],
  ['register', 'POST', '/register', register],
  ['logout', 'POST', '/logout', logout],
  ['logout', 'POST', '/logout/all', logoutAll],
  ['refresh', 'POST', '/refresh', refresh],
  ['whoami', 'GET', '/account/whoami', whoami],
  ['devices', 'GET', '/devices', listDevices],
  ['devices', 'GET', '/devices/{device}', showDevice],
  ['devices', 'PUT', '/devices/{device}', renameDevice],
  ['devices', 'DELETE', '/devices/{device}', deleteDevice],
  ['delete_devices', 'POST', '/delete_devices', deleteDevices],
  ['password', 'POST', '/account/password', changePassword],
  ['deactivate', 'POST', '/account/deactivate', deactivate],
  ['threepid', 'GET', '/account/3pid', listAddresses],
  ['threepid_post', 'POST', '/account/3pid', addAddressOfOld],
  ['threepid_add', 'POST', '/account/3pid/add', addAddress],
  ['threepid', 'POST', '/account/3pid/delete', removeAddress],
  ['threepid', 'POST', '/account/3pid/unbind', removeAddress],
  ['device_signing', 'POST', '/keys/device_signing/upload', uploadSigningKeys],
  ['get_token', 'POST', '/login/get_token', getLoginToken],
  ['get_token_msc3882', 'POST', '/login/get_token', getLoginToken],
  ['get_token_msc3882_old', 'POST', '/login/token', getLoginToken],
  ['keys', 'POST', '/keys/upload', uploadDeviceKeys],
  ['keys', 'POST', '/keys/query', queryKeys],
  ['other', 'GET', '/capabilities', capabilities],
  ['other', 'GET', '/auth_metadata', authMetadata],
  ['other', ANY_METHOD, '/rooms/{rest...}', echo],
];

/** Every route of a personality. */
export function routesOf(rules: RoutingRules, media: StubMedia, syncs: HeldSyncs): readonly Route[] {
  const rows: readonly Row[] = [...CLIENT_ROWS, ['other', 'GET', '/sync', syncs.sync]];
  const client = rows.flatMap(([name, method, suffix, endpoint]) =>
    rules.prefixes[name].map((prefix) => ({
      name,
      method,
      template: `/_matrix/client/${prefix}${suffix}`,
      endpoint,
    })),
  );
  const administrations = rules.adminPaths.map((path) =>
    route(ANY_METHOD, `${path}{rest...}`, administration),
  );
  return [
    ...client,
    ...administrations,
    route('GET', '/_matrix/client/versions', versions),
    route('GET', '/_matrix/federation/v1/version', serverVersion),
    route('GET', '/_matrix/client/unstable/org.matrix.msc2965/auth_metadata', authMetadata),
    route('GET', '/.well-known/matrix/client', wellKnown),
    route('POST', '/_matrix/media/v3/upload', media.upload),
    route('GET', '/_matrix/media/v3/download/{server}/{media}', media.download),
    route('GET', '/_matrix/client/v1/media/download/{server}/{media}', media.download),
    route('GET', '/_stub/provider', ssoProvider),
  ];
}

/** Whether the route takes this method. */
export function takes(found: Route, method: string): boolean {
  return found.method === ANY_METHOD || found.method === method;
}

function route(method: string, template: string, endpoint: StubEndpoint): Route {
  return { name: 'other', method, template, endpoint };
}
