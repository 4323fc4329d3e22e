import { OauthError } from './oauth_answer.ts';

/** Alike for all that is wrong with a code or a refresh token: what was wrong is not told (RFC 6749, section 5.2). */
export function invalidGrant(): OauthError {
  return new OauthError(
    'invalid_grant',
    'This grant is unknown, has been used or has ended, or belongs to another client.',
  );
}

/** What passes by itself. Clients sign out at any 4xx of the token endpoint, so it never is one. */
export function notNow(retryAfterMs?: number): OauthError {
  return new OauthError(
    'temporarily_unavailable',
    'This is not possible at the moment.',
    retryAfterMs === undefined ? {} : { retryAfterMs },
  );
}

/** The homeserver did what it must not, or takes none of our logins any more. */
export function badGateway(description: string): OauthError {
  return new OauthError('server_error', description, {
    status: 502,
    outcome: { is: 'failed', reason: 'homeserver_answer', detail: description },
  });
}
