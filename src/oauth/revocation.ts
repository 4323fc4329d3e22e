import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { Form } from '../http/form.ts';
import { isRefreshToken, sessionIdIn } from '../second_factor/oauth_refresh.ts';
import type { OAuthSessions } from '../second_factor/oauth_sessions.ts';
import type { OauthSession } from '../storage/tables/oauth_sessions.ts';
import { hashToken } from '../system/token_hash.ts';
import { notNow } from './grant_errors.ts';
import { requireField } from './oauth_form.ts';

/** `POST /_2fa/oauth2/revoke` (RFC 7009): ends a session by either of its tokens, by any client. */
export class Revocation {
  constructor(private readonly deps: { readonly sessions: OAuthSessions }) {}

  /** @throws OauthError invalid_request; temporarily_unavailable if the homeserver has not logged it out yet */
  async handle({ client }: ClientRequest, form: Form): Promise<Answer> {
    const session = await this.find(requireField(form, 'token'));
    if (session !== undefined) {
      const isForeign = form.get('client_id') !== session.clientId;
      const hasEnded = await this.deps.sessions.end(session, 'revoked', { client, isForeign });
      // Its refresh token is dead already, and the next sweep tries again.
      if (hasEnded && !(await this.deps.sessions.logOut(session))) throw notNow();
    }
    return { status: 200, body: {} };
  }

  /** The live session of a token; undefined for all that says nothing of one (RFC 7009, section 2.2). */
  private async find(token: string): Promise<OauthSession | undefined> {
    if (!isRefreshToken(token)) return this.deps.sessions.ofToken(token);
    const id = sessionIdIn(token);
    const session = id === undefined ? undefined : await this.deps.sessions.find(id);
    if (session === undefined || session.endedAt !== null) return undefined;
    return [session.refreshHash, session.previousHash].includes(hashToken(token)) ? session : undefined;
  }
}
