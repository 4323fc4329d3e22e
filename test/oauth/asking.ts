/** An app that asks for access to an account, and the person who is asked. */
import { createHash, randomBytes } from 'node:crypto';
import { registerClient } from '../../src/storage/tables/oauth_clients.ts';
import type { TestApp } from '../support/app.ts';
import type { HttpAnswer } from '../support/http.ts';

export const AUTHORIZE = '/_2fa/oauth2/authorize';
export const WEB_BACK = 'https://app.example.com/back';
export const NATIVE_BACK = 'com.example.app:/back';
/** What an app keeps for itself, for the challenge in its request. */
export const VERIFIER = 'v'.repeat(43);
export const LOOPBACK_BACK = 'http://127.0.0.1/back';

/** Registers an app, past the door for that. */
export async function registerApp(app: TestApp, metadata: object = {}): Promise<string> {
  const clientId = randomBytes(16).toString('base64url');
  const whole = {
    client_name: 'An app',
    client_uri: 'https://app.example.com',
    application_type: 'web',
    redirect_uris: [WEB_BACK],
    grant_types: ['authorization_code', 'refresh_token'],
    response_types: ['code'],
    token_endpoint_auth_method: 'none',
    ...metadata,
  };
  await app.storage.commit([], registerClient({ clientId, metadata: JSON.stringify(whole) }, 1000));
  return clientId;
}

export interface Asked {
  readonly client_id: string;
  readonly [name: string]: string;
}

export function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

/** What an app asks for; `more` in the place of what it usually does. */
export function requestOf(asked: Asked): string {
  const request = {
    response_type: 'code',
    redirect_uri: WEB_BACK,
    scope: 'urn:matrix:client:api:* urn:matrix:client:device:APPDEVICE',
    state: 'the state',
    code_challenge: challengeOf(VERIFIER),
    code_challenge_method: 'S256',
    ...asked,
  };
  return `${AUTHORIZE}?${new URLSearchParams(request)}`;
}

/** Where an answer sends the browser: with 303, or by a link. */
export function leadsTo({ status, headers, text }: HttpAnswer): URL {
  const link = /<a class="button full" href="([^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&');
  return new URL(status === 303 ? (headers.location ?? '') : (link ?? ''));
}
