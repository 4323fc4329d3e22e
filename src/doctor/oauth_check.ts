import { fail, type InsideCheck, listed, ok, skipped, warn } from './check.ts';
import { OAUTH_METADATA } from './homeserver_logins.ts';
import { isSuccess, type Reply } from './web.ts';

/** Where clients look for OAuth. */
export const METADATA_PATHS: readonly string[] = [
  ...OAUTH_METADATA,
  '/.well-known/oauth-authorization-server',
  '/.well-known/openid-configuration',
];

/** Whether this is the metadata of our own OAuth at this public address, and not that of another server. */
export function isOwnMetadata(reply: Reply, publicUrl: string): boolean {
  return (
    isSuccess(reply) && reply.answered && reply.json?.token_endpoint === `${publicUrl}/_2fa/oauth2/token`
  );
}

export const oauthCheck: InsideCheck = {
  id: 'oauth',
  about: 'apps find the OAuth login of this proxy, and the homeserver has none itself',
  outside: false,
  run: async (installation) => {
    const { config, publicUrl, web } = installation;
    if (!config.oauth.enabled) return skipped('it is off: clients that know OAuth alone cannot sign in');
    const without = await installation.inside.noPublicWay();
    if (without !== undefined) return skipped(without);
    const ofHomeserver = await Promise.all(OAUTH_METADATA.map((path) => installation.homeserver(path)));
    const tried = METADATA_PATHS.map((path) => `GET ${publicUrl}${path}`);
    if (ofHomeserver.some(isSuccess)) {
      return fail(
        tried,
        'the homeserver has an OAuth of its own, so oauth.enabled has no effect',
        'switch one of the two off (docs/oauth.md)',
      );
    }
    const replies = await Promise.all(METADATA_PATHS.map((target) => web.ask(publicUrl, { target })));
    const missing = METADATA_PATHS.filter((_, at) => !isOwn(replies[at], publicUrl));
    if (missing.length > 0) {
      return fail(
        tried,
        `these are not the metadata of serve: ${listed(missing)}`,
        'restart serve after a change of oauth.enabled, and let the web server send these paths to it (docs/install.md)',
      );
    }
    if (config.homeserver.appservice !== undefined) return ok(tried, `apps find it at ${publicUrl}`);
    return warn(
      tried,
      `apps find it at ${publicUrl}; without homeserver.appservice each sign-in takes two logins`,
      'set homeserver.appservice (docs/operate.md)',
    );
  },
};

function isOwn(reply: Reply | undefined, publicUrl: string): boolean {
  return reply !== undefined && isOwnMetadata(reply, publicUrl);
}
