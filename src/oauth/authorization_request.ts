import { NUL, parseUserId } from '../matrix/user_id.ts';
import { type AuthorizationError, addressBack, type WayBack } from './authorization_answer.ts';
import type { RegisteredClient } from './clients.ts';
import { isRegistered } from './redirect_uris.ts';
import { type ReadScope, readScope } from './scope.ts';

/** How much of what a client wants to have back is carried: its `state`, and the `nonce` of its ID token. */
const LONGEST = 2048;
/** What SHA-256 makes of a verifier, as RFC 7636 §4.2 writes it. */
const CHALLENGE = /^[A-Za-z0-9_-]{43}$/;

/** What may stand in a request once. All else changes nothing. */
const ONCE = [
  'response_type',
  'scope',
  'state',
  'response_mode',
  'code_challenge',
  'code_challenge_method',
  'nonce',
  'prompt',
  'login_hint',
  'ui_locales',
] as const;

/** An authorization request that is in order. */
export interface AuthorizationRequest {
  readonly client: RegisteredClient;
  readonly back: WayBack;
  readonly scope: ReadScope;
  readonly challenge: string;
  readonly nonce: string | undefined;
  /** The user id that the client thinks it is: fills a field in, and decides nothing. */
  readonly hint: string | undefined;
}

/** What is to be said of an authorization request. */
export type JudgedRequest =
  | { readonly is: 'fine'; readonly request: AuthorizationRequest }
  /** The client, or where it wants to go, is not known: nothing leads back to it. */
  | { readonly is: 'unknown' }
  /** The person decides whether the client is told of it: `href` brings it there. */
  | { readonly is: 'faulty'; readonly error: AuthorizationError; readonly href: string };

/** Judges authorization requests (client-server API, "OAuth 2.0 API"; RFC 6749, 7636, 9207; docs/oauth.md). */
export class AuthorizationRequests {
  constructor(
    private readonly clients: { find(clientId: string): Promise<RegisteredClient | undefined> },
    private readonly issuer: string,
  ) {}

  /** @param query of the request, as it came */
  async judge(query: string): Promise<JudgedRequest> {
    const sent = new URLSearchParams(query);
    const redirectUri = onlyOne(sent, 'redirect_uri');
    const clientId = onlyOne(sent, 'client_id');
    if (redirectUri === undefined || clientId === undefined) return { is: 'unknown' };
    const client = await this.clients.find(clientId);
    if (client === undefined || !isRegistered(redirectUri, client.redirectUris)) return { is: 'unknown' };
    return judgeOf(sent, client, wayBack(sent, redirectUri, this.issuer));
  }
}

function judgeOf(sent: URLSearchParams, client: RegisteredClient, back: WayBack): JudgedRequest {
  const error = faultIn(sent, client);
  const scope = readScope(sent.get('scope') ?? '');
  if (error === undefined && scope !== undefined) {
    const challenge = sent.get('code_challenge') ?? '';
    const nonce = sent.get('nonce') ?? undefined;
    return { is: 'fine', request: { client, back, scope, challenge, nonce, hint: hintIn(sent) } };
  }
  const told = error ?? 'invalid_scope';
  return { is: 'faulty', error: told, href: addressBack(back, { error: told }) };
}

function faultIn(sent: URLSearchParams, { grantTypes }: RegisteredClient): AuthorizationError | undefined {
  const isLong = (name: string) => (sent.get(name)?.length ?? 0) > LONGEST;
  if (ONCE.some((name) => sent.getAll(name).length > 1)) return 'invalid_request';
  if (sent.has('response_mode') && modeIn(sent) === undefined) return 'invalid_request';
  if (!sent.has('response_type') || isLong('state') || isLong('nonce')) return 'invalid_request';
  if (sent.get('nonce')?.includes(NUL)) return 'invalid_request';
  if (sent.get('response_type') !== 'code') return 'unsupported_response_type';
  if (!grantTypes.includes('authorization_code')) return 'unauthorized_client';
  if (sent.get('code_challenge_method') !== 'S256') return 'invalid_request';
  if (!CHALLENGE.test(sent.get('code_challenge') ?? '')) return 'invalid_request';
  // Nothing replaces the sign-in here, so it never goes without a word.
  if ((sent.get('prompt') ?? '').split(' ').includes('none')) return 'login_required';
  return undefined;
}

/** What is wrong with the mode is told in the query, where every client can read it. */
function wayBack(sent: URLSearchParams, redirectUri: string, issuer: string): WayBack {
  const state = onlyOne(sent, 'state');
  return {
    redirectUri,
    responseMode: modeIn(sent) ?? 'query',
    state: state !== undefined && state.length <= LONGEST ? state : undefined,
    issuer,
  };
}

function modeIn(sent: URLSearchParams): WayBack['responseMode'] | undefined {
  const mode = onlyOne(sent, 'response_mode');
  return mode === 'query' || mode === 'fragment' ? mode : undefined;
}

function hintIn(sent: URLSearchParams): string | undefined {
  const hint = sent.get('login_hint') ?? '';
  const userId = hint.startsWith('mxid:') ? hint.slice('mxid:'.length) : '';
  return parseUserId(userId) === undefined ? undefined : userId;
}

function onlyOne(sent: URLSearchParams, name: string): string | undefined {
  const [value, ...more] = sent.getAll(name);
  return more.length === 0 ? value : undefined;
}
