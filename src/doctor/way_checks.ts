import { FACTOR_KINDS } from '../config/settings.ts';
import { isOauthPath, mountedPaths, ROUTES } from '../http/routes.ts';
import { type Finding, fail, type InsideCheck, listed, ok, skipped } from './check.ts';
import { type Installation, isProbeAnswer, PROBED_PATH } from './installation.ts';
import { replyInWords } from './web.ts';

export const publicPathCheck: InsideCheck = {
  id: 'public-path',
  about: 'serve answers on public_base_url',
  outside: false,
  run: async (installation) => {
    const without = await installation.whyNoProbe();
    if (without !== undefined) return skipped(without);
    const tried = [`GET ${installation.publicUrl}${PROBED_PATH} with a probe`];
    const reply = await installation.firstProbe();
    if (isProbeAnswer(reply)) return ok(tried, `serve answers on ${installation.publicUrl}`);
    return fail(
      tried,
      `${installation.publicUrl}: ${replyInWords(reply)}, and not from a serve on this database`,
      'start serve; lead /_matrix/ and /_2fa/ of that address to it (docs/install.md); or correct public_base_url',
    );
  },
};

const AT_ONCE = 8;

export const routesCheck: InsideCheck = {
  id: 'routes',
  about: 'every gated path, under each of its prefixes, reaches serve',
  outside: false,
  run: async (installation) => {
    const without = await installation.inside.noPublicWay();
    if (without !== undefined) return skipped(without);
    const targets = gatedTargets();
    const astray: string[] = [];
    for (let at = 0; at < targets.length; at += AT_ONCE) {
      const some = targets.slice(at, at + AT_ONCE);
      astray.push(...(await Promise.all(some.map((target) => whereAstray(installation, target)))).flat());
    }
    const tried = targets.map(({ method, path }) => `${method} ${path} with a probe`);
    if (astray.length === 0) return ok(tried, `all ${targets.length} reach serve`);
    return fail(
      tried,
      `past serve: ${listed(astray)}`,
      'let the web server send them to serve; `matrix-2fa-proxy doctor --json` lists what was tried',
    );
  },
};

interface Target {
  readonly method: string;
  readonly path: string;
}

/**
 * Paths that need not lead to us: clients look for the first on the host of user ids, and the second is only what
 * people type.
 */
const NOT_NEEDED = ['/.well-known/matrix/client', '/_2fa'];

/** One target for each path and prefix. */
function gatedTargets(): Target[] {
  const all = ROUTES.flatMap((route) => mountedPaths(route).map(({ path }) => ({ ...route, path })));
  return (
    all
      // What is there while apps can sign in by OAuth only, oauthMetadataCheck looks at.
      .filter(({ path }) => !NOT_NEEDED.includes(path) && !isOauthPath(path))
      .map(({ method, path }) => ({
        method,
        path: path.replaceAll('{kind}', FACTOR_KINDS[0]).replaceAll(/\{\w+\}/g, 'ABC'),
      }))
  );
}

async function whereAstray(installation: Installation, { method, path }: Target): Promise<string[]> {
  const reply = await installation.probe(method, path);
  return isProbeAnswer(reply) ? [] : [`${method} ${path} (${replyInWords(reply)})`];
}

/** RFC 5737: an address of documents, which no client has. */
const FORGED = '203.0.113.254';
const FORGED_HEADERS = { 'X-Forwarded-For': FORGED, Forwarded: `for=${FORGED}`, 'X-Real-IP': FORGED };

export const clientAddressCheck: InsideCheck = {
  id: 'client-address',
  about: 'serve sees the address of its clients and not what they claim, and https where they use it',
  outside: false,
  run: async (installation) => {
    const without = await installation.inside.noPublicWay();
    if (without !== undefined) return skipped(without);
    if (leadsStraightToServe(installation)) {
      return skipped('public_base_url is the address that serve listens on: there is no web server between');
    }
    const reply = await installation.probe('GET', PROBED_PATH, FORGED_HEADERS);
    if (!reply.answered || !isProbeAnswer(reply)) {
      return skipped(`a probe with made-up addresses is not answered: ${replyInWords(reply)}`);
    }
    return judgeAddress({ address: reply.json?.address, proto: reply.json?.proto }, installation.publicUrl);
  },
};

function judgeAddress(seen: { address: unknown; proto: unknown }, publicUrl: string): Finding {
  const tried = [`GET ${publicUrl}${PROBED_PATH} with a probe and X-Forwarded-For: ${FORGED}`];
  const proto = new URL(publicUrl).protocol.slice(0, -1);
  if (seen.address === FORGED) {
    return fail(
      tried,
      'an X-Forwarded-For that a client sent is believed: limits by address can be avoided',
      'let the web server overwrite X-Forwarded-For with the address that it sees (docs/install.md), and name only web servers in trusted_proxies',
    );
  }
  if (seen.proto === proto) return ok(tried, `serve sees ${String(seen.address)} and ${proto}`);
  return fail(
    tried,
    `serve takes ${proto} for ${String(seen.proto)}`,
    'let the web server set X-Forwarded-Proto, and name its address in trusted_proxies',
  );
}

function leadsStraightToServe({ config, publicUrl }: Installation): boolean {
  const { protocol, port, hostname } = new URL(publicUrl);
  return protocol === 'http:' && Number(port || 80) === config.listen.port && hostname === config.listen.host;
}
