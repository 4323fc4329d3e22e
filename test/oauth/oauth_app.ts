import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { expect } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { type OAuthLogin, sealOAuthLogin } from '../../src/second_factor/oauth_login.ts';
import { findVersion } from '../../src/storage/tables/accounts.ts';
import { keepCode } from '../../src/storage/tables/oauth_grants.ts';
import { listOauthSessions, type OauthSession } from '../../src/storage/tables/oauth_sessions.ts';
import { MINUTE } from '../../src/system/clock.ts';
import { randomId, systemRandom } from '../../src/system/random.ts';
import { hashToken } from '../../src/system/token_hash.ts';
import { loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import type { AppOptions, TestApp } from '../support/app.ts';
import type { StartApp } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';

export const PASSWORD = 'bobs password';
export const BOB = '@bob:localhost';
export const CLIENT = 'client_of_element';
export const REDIRECT = 'https://app.example.org/callback';
export const DEVICE = 'AppDevice+1/x';
export const TOKEN = '/_2fa/oauth2/token';
export const REVOKE = '/_2fa/oauth2/revoke';

/** What a code was issued for, as its client knows it. */
export interface Issued {
  readonly code: string;
  readonly verifier: string;
}

export interface IssuedFor {
  readonly user?: string;
  readonly deviceId?: string;
  readonly login?: Partial<OAuthLogin>;
  readonly scope?: string;
  readonly nonce?: string;
}

export interface OAuthOptions extends AppOptions {
  /** Further settings of the section `oauth`. */
  readonly settings?: JsonObject;
}

/** What a form can be sent to. */
export type Asked = Pick<TestApp, 'call'>;

/** The application with bob, who has 2FA on, and apps that sign in by OAuth. */
export class OAuthApp {
  private constructor(
    readonly app: TestApp,
    readonly bob: Enrolled,
  ) {}

  static async start(start: StartApp, { settings, ...options }: OAuthOptions = {}): Promise<OAuthApp> {
    const users = [
      { name: 'bob', password: PASSWORD },
      { name: 'eve', password: 'eves password' },
    ];
    const section = JSON.stringify({ enabled: true, ...settings });
    const app = await start({ users, ...options, config: `oauth: ${section}\n${options.config ?? ''}` });
    const bob = await app.enrol('bob');
    app.stub.clear();
    return new OAuthApp(app, bob);
  }

  get scope(): string {
    return `urn:matrix:client:api:* urn:matrix:client:device:${DEVICE}`;
  }

  /** A code as the authorize page issues it. */
  async issue(issued: IssuedFor = {}): Promise<Issued> {
    const { user = 'bob', deviceId = DEVICE, login = {}, scope = this.scope, nonce = null } = issued;
    const userId = `@${user}:localhost`;
    const code = randomId(systemRandom, 256);
    const verifier = randomId(systemRandom, 256);
    const idHash = hashToken(code);
    const vault = new SealingVault(loadKeyRing(join(this.app.directory, 'keys.json')), systemRandom);
    const password = this.app.stub.passwordOf(user) ?? undefined;
    const needs = { password, appName: 'Element', hasFactor: user === 'bob', ...login };
    const [account] = await this.app.storage.read(findVersion(userId));
    const row = {
      ...{
        idHash,
        clientId: CLIENT,
        scope,
        deviceId,
        nonce,
        redirectUri: REDIRECT,
        userId,
      },
      challenge: createHash('sha256').update(verifier).digest('base64url'),
      version: account?.version ?? 0,
      sealedLogin: sealOAuthLogin(vault, { idHash, userId }, needs),
    };
    expect(await this.app.storage.commit([userId], keepCode(row, 2 * MINUTE))).toBeDefined();
    return { code, verifier };
  }

  form(
    target: string,
    fields: Readonly<Record<string, string | undefined>>,
    app: Asked = this.app,
  ): Promise<HttpAnswer> {
    const pairs = Object.entries(fields).filter((pair): pair is [string, string] => pair[1] !== undefined);
    return app.call({
      method: 'POST',
      target,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(pairs).toString(),
    });
  }

  exchange(
    { code, verifier }: Issued,
    more: Readonly<Record<string, string | undefined>> = {},
    app: Asked = this.app,
  ): Promise<HttpAnswer> {
    const fields = { code, code_verifier: verifier, redirect_uri: REDIRECT, client_id: CLIENT };
    return this.form(TOKEN, { grant_type: 'authorization_code', ...fields, ...more }, app);
  }

  refresh(refreshToken: string, clientId = CLIENT, app: Asked = this.app): Promise<HttpAnswer> {
    const fields = { grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId };
    return this.form(TOKEN, fields, app);
  }

  /** A session of bob's, or another's. */
  async signIn(issued: IssuedFor = {}): Promise<Tokens> {
    return tokensIn(await this.exchange(await this.issue(issued)));
  }

  sessions(user = 'bob'): Promise<OauthSession[]> {
    return this.app.storage.read(listOauthSessions(`@${user}:localhost`));
  }

  /** What happened to bob, the newest first. */
  async events(): Promise<string[]> {
    return (await this.app.storage.audit.list({ userId: BOB })).map(({ event }) => event);
  }

  /** What went to the homeserver, each as method and target. */
  upstream(): string[] {
    return this.app.stub.requests.map(({ method, target }) => `${method} ${target}`);
  }
}

export interface Tokens {
  readonly access: string;
  readonly refresh: string;
}

export function tokensIn({ status, json }: HttpAnswer): Tokens {
  expect({ status, json }).toMatchObject({
    status: 200,
    json: { access_token: expect.any(String), refresh_token: expect.any(String) },
  });
  return { access: json.access_token as string, refresh: json.refresh_token as string };
}

/** A refusal in OAuth's words: never with an `errcode`. */
export function expectError(answer: HttpAnswer, status: number, error: string): void {
  expect({ status: answer.status, json: answer.json }).toEqual({
    status,
    json: { error, error_description: expect.stringMatching(/^[\x20-\x7e]+$/) },
  });
  expect(answer.headers['content-type']).toBe('application/json');
  expect(answer.headers['cache-control']).toBe('no-store');
}
