import { mountedPaths, ROUTES } from '../../src/http/routes.ts';

export const HOST = { host: 'matrix.example.org' };

/** Every path of the route table, its parameters filled in. */
export const ROWS = ROUTES.flatMap((route) =>
  mountedPaths(route).map(({ path }) => ({
    method: route.method,
    isGuarded: route.guard !== undefined,
    target: path.replaceAll(/\{\w+\}/g, '%21x%3Aexample.org'),
  })),
);

/** Logins that some server reads as `/login` (attacks 2 and 3): the homeserver never gets one from the web server. */
export const DISGUISED = [
  '/_matrix/client/v3/login/',
  '/_matrix/client/v3/LOGIN',
  '/_matrix/client/v3/%6Cogin',
  '/_matrix/client/v3/login%2f',
  '/_matrix/client/v3/login;x',
  '//_matrix/client/v3/login',
  '/_matrix/./client/v3/login',
  '/_matrix/client/v3/sync/../login',
  '/_matrix/client/v3/sync/%2e%2e/login',
  '/_matrix/media/../client/v3/login',
  '/_matrix/media/%2e%2e/client/v3/login',
  '/_matrix/media/..%2fclient/v3/login',
  '/_matrix/media/..%5cclient/v3/login',
  '/_matrix/key//../client/v3/login',
  '/_matrix/federation/.%2e/client/v3/login',
  '/_matrix/client/v3/rooms/../login?/messages',
  '/_matrix/client/v3/rooms/..;/login/messages',
  '/_matrix/client/v3/login?/_matrix/client/v3/sync',
  '/_matrix/client/v4/login',
  // Some versions of Caddy take text in braces for a placeholder, in some matchers.
  '/_matrix/media/{/../../client/v3/login?}',
  '/_matrix/media/%252e%252e/client/v3/login',
];
