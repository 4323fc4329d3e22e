import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import { fail, listed, type OutsideCheck, ok, skipped } from './check.ts';
import { OAUTH_METADATA } from './homeserver_logins.ts';
import { isOwnMetadata } from './oauth_check.ts';
import type { PublicView } from './public_view.ts';
import { isSuccess, type Reply } from './web.ts';

const WELL_KNOWN = '/.well-known/matrix/client';

export const wellKnownCheck: OutsideCheck = {
  id: 'well-known',
  about: 'the well-known document leads clients here, and to no OAuth login (--server-name)',
  outside: true,
  run: async (view) => {
    const origin = view.serverName === undefined ? view.publicUrl : `https://${view.serverName}`;
    const tried = [`GET ${origin}${WELL_KNOWN}`];
    const reply = await documentAt(origin, view);
    if (!isSuccess(reply) || !reply.answered || reply.json === undefined) {
      return skipped(`${origin} has none: clients have to be told ${view.publicUrl}`);
    }
    const [wrong] = faultsOf(reply.json, view.publicUrl);
    if (wrong === undefined) return ok(tried, `it leads to ${view.publicUrl}`);
    return fail(
      tried,
      `${origin}${WELL_KNOWN} ${wrong}`,
      `let it say { "m.homeserver": { "base_url": "${view.publicUrl}" } } and nothing of authentication`,
    );
  },
};

const MOST_REDIRECTS = 5;

/** As clients get it, which follow redirects (https://spec.matrix.org/v1.16/client-server-api/#well-known-uri). */
async function documentAt(origin: string, { web }: PublicView): Promise<Reply> {
  let url = new URL(WELL_KNOWN, origin);
  for (let redirects = 0; ; redirects += 1) {
    const reply = await web.ask(url.origin, { target: url.pathname + url.search });
    const { location } = reply.answered ? reply.headers : {};
    const isRedirect = reply.answered && [301, 302, 303, 307, 308].includes(reply.status);
    if (!isRedirect || location === undefined || redirects === MOST_REDIRECTS) return reply;
    if (!URL.canParse(location, url.href)) return reply;
    const next = new URL(location, url);
    if (!['http:', 'https:'].includes(next.protocol)) return reply;
    url = next;
  }
}

function faultsOf(document: JsonObject, publicUrl: string): string[] {
  const homeserver = isJsonObject(document['m.homeserver']) ? document['m.homeserver'] : {};
  const baseUrl = String(homeserver.base_url);
  const oauth = ['m.authentication', 'org.matrix.msc2965.authentication'].filter((key) => key in document);
  return [
    ...(isSameOrigin(baseUrl, publicUrl) ? [] : [`leads clients to ${baseUrl}`]),
    ...oauth.map((key) => `leads clients to an OAuth login (${key})`),
  ];
}

function isSameOrigin(one: string, other: string): boolean {
  return URL.canParse(one) && new URL(one).origin === new URL(other).origin;
}

/** A page of each way in which homeservers sign users in, or change accounts, without this proxy. */
export const NATIVE_PAGES = [
  ...OAUTH_METADATA,
  '/_matrix/client/unstable/org.matrix.msc2965/auth_issuer',
  '/.well-known/openid-configuration',
  '/.well-known/oauth-authorization-server',
  '/_continuwuity/account/login',
  '/%5fcontinuwuity/account/login',
  '/_continuwuity/account/password/reset',
  '/_continuwuity/oauth2/authorize',
  '/_continuwuity/oauth2/grant/token',
  '/_tuwunel/oidc/authorize',
  '/_tuwunel/oidc/token',
  '/_tuwunel/sso/',
  '/_tuwunel/sso/complete',
  '/_synapse/admin/v1/server_version',
  '/_synapse/admin/v1/register',
  '/_synapse/mas/',
  '/_synapse/mas/query_user',
  '/_dendrite/admin/',
  '/_dendrite/admin/evacuateRoom/x',
] as const;

export const nativePagesCheck: OutsideCheck = {
  id: 'native-pages',
  about: "the homeserver's own login pages, OAuth and administration are not there",
  outside: true,
  run: async (view) => {
    const without = await view.inside?.noPublicWay();
    if (without !== undefined) return skipped(without);
    const replies = await askAll(view, NATIVE_PAGES);
    if (replies.every(({ reply }) => !reply.answered)) return skipped(`${view.publicUrl} does not answer`);
    const served = replies.flatMap(({ target, reply }) =>
      reply.answered && reply.status !== 404 && !isOwnMetadata(reply, view.publicUrl)
        ? [`${target} (${reply.status})`]
        : [],
    );
    const tried = NATIVE_PAGES.map((target) => `GET ${view.publicUrl}${target}`);
    if (served.length === 0) return ok(tried, 'all of them are 404');
    return fail(
      tried,
      `these are not 404: ${listed(served)}`,
      'let the web server send nothing but /_matrix/ and /_synapse/client/ on, and those to serve (docs/install.md)',
    );
  },
};

/**
 * Our own `/login` refuses a query of this length, and homeservers do not: an answer tells which of the two it is from,
 * also where a web server has tidied the target up.
 */
const LONG_QUERY = `?x=${'x'.repeat(4200)}`;

/** Ways to write `/login` that some homeserver reads as such. */
const DISGUISED = [
  '/_matrix/client/v3/login/',
  '/_matrix/client/v3/LOGIN',
  '/_matrix/client/v3/%6Cogin',
  '/_matrix/client/v3/login;a=b',
  '/_matrix/client/v3/./login',
  '/_matrix/client/v3/x/../login',
  '/_matrix/client/v3/%2e/login',
  '/_matrix/media/%2e%2e/client/v3/login',
  '/_matrix/client/v3/x/%2e%2e%2flogin',
  '/_matrix/client/v3//login',
  '//_matrix/client/v3/login',
  '/_matrix/client/v3\\login',
  '/_matrix/client/v4/login',
  '/_matrix/client/login',
] as const;

export const oddTargetsCheck: OutsideCheck = {
  id: 'odd-targets',
  about: 'no disguised /login reaches the homeserver',
  outside: true,
  run: async (view) => {
    const without = await view.inside?.noPublicWay();
    if (without !== undefined) return skipped(without);
    const targets = oddTargets(view.publicUrl);
    const replies = await askAll(view, targets);
    if (replies.every(({ reply }) => !reply.answered)) return skipped(`${view.publicUrl} does not answer`);
    const served = replies.filter(({ reply }) => isLoginAnswer(reply)).map(({ target }) => shortened(target));
    const tried = targets.map((target) => `GET ${shortened(target)}`);
    if (served.length === 0) return ok(tried, 'none of them is answered as a login');
    return fail(
      tried,
      `these reach the homeserver past serve: ${listed(served)}`,
      'let the web server send targets on as they came, and all but the few paths of docs/install.md to serve',
    );
  },
};

function oddTargets(publicUrl: string): string[] {
  const plain = `/_matrix/client/v3/login${LONG_QUERY}`;
  return [...DISGUISED.map((path) => path + LONG_QUERY), `${plain}#f`, `${publicUrl}${plain}`];
}

function isLoginAnswer(reply: Reply): boolean {
  return isSuccess(reply) || (reply.answered && Array.isArray(reply.json?.flows));
}

function shortened(target: string): string {
  return target.replace(LONG_QUERY, '?x=…');
}

async function askAll({ web, publicUrl }: PublicView, targets: readonly string[]) {
  return Promise.all(
    targets.map(async (target) => ({ target, reply: await web.ask(publicUrl, { target }) })),
  );
}
