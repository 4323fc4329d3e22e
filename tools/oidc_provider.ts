/**
 * A tiny OpenID provider on loopback, for tests of single sign-on: one page that asks for a user name (any name is
 * taken), a session by cookie that makes every later visit silent, and RS256.
 *
 *     const provider = await startOidcProvider({ clientId: 'synapse', clientSecret: 'secret' });
 *     provider.issuer                 for the homeserver's configuration; discovery works
 *     provider.visits                 what its users saw: `asked` for the name or passed `silent`ly
 *     await provider.stop()
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface OidcClient {
  readonly clientId: string;
  readonly clientSecret: string;
}

export interface OidcVisit {
  readonly user: string;
  readonly kind: 'asked' | 'silent';
}

/** A running provider. */
export interface OidcProvider {
  readonly issuer: string;
  readonly visits: readonly OidcVisit[];
  stop(): Promise<void>;
}

/** What a code stands for; codes work once. */
interface Grant {
  readonly user: string;
  readonly nonce: string | null;
  readonly challenge: string | null;
}

const COOKIE = 'provider_user';
const KEY_ID = 'key-1';
const TOKEN_LIFE_S = 300;

/** Starts a provider on a free port of loopback. */
export async function startOidcProvider(client: OidcClient): Promise<OidcProvider> {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, client, publicKey, privateKey);
  server.on('request', (request, response) => {
    provider.handle(request, response).catch((error: unknown) => respond(response, 500, String(error)));
  });
  return {
    issuer,
    visits: provider.visits,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

class Provider {
  readonly visits: OidcVisit[] = [];
  readonly #grants = new Map<string, Grant>();
  readonly #accessTokens = new Map<string, string>();

  constructor(
    private readonly issuer: string,
    private readonly client: OidcClient,
    private readonly publicKey: KeyObject,
    private readonly privateKey: KeyObject,
  ) {}

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.issuer);
    switch (url.pathname) {
      case '/.well-known/openid-configuration':
        return respondJson(response, 200, this.metadata());
      case '/jwks':
        return respondJson(response, 200, { keys: [this.publicJwk()] });
      case '/authorize':
        return this.authorize(request, response, url.searchParams);
      case '/token':
        return this.token(request, response);
      case '/userinfo':
        return this.userinfo(request, response);
      default:
        return respond(response, 404, 'There is nothing here.');
    }
  }

  /** OpenID Connect Discovery 1.0, section 3. */
  private metadata() {
    return {
      issuer: this.issuer,
      authorization_endpoint: `${this.issuer}/authorize`,
      token_endpoint: `${this.issuer}/token`,
      userinfo_endpoint: `${this.issuer}/userinfo`,
      jwks_uri: `${this.issuer}/jwks`,
      response_types_supported: ['code'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
      token_endpoint_auth_methods_supported: ['client_secret_basic', 'client_secret_post'],
      code_challenge_methods_supported: ['S256'],
      scopes_supported: ['openid', 'profile'],
    };
  }

  private publicJwk() {
    return { ...this.publicKey.export({ format: 'jwk' }), kid: KEY_ID, use: 'sig', alg: 'RS256' };
  }

  private async authorize(
    request: IncomingMessage,
    response: ServerResponse,
    asked: URLSearchParams,
  ): Promise<void> {
    if (asked.get('client_id') !== this.client.clientId) return respond(response, 400, 'Unknown client.');
    const remembered = cookieOf(request, COOKIE);
    if (remembered !== undefined) {
      return this.sendBack(response, asked, { user: remembered, kind: 'silent' });
    }
    if (request.method !== 'POST') return respondPage(response, SIGN_IN_PAGE);
    const user = new URLSearchParams(await readAll(request)).get('user') ?? '';
    response.setHeader('Set-Cookie', `${COOKIE}=${encodeURIComponent(user)}; Path=/; HttpOnly`);
    return this.sendBack(response, asked, { user, kind: 'asked' });
  }

  private sendBack(response: ServerResponse, asked: URLSearchParams, visit: OidcVisit): void {
    this.visits.push(visit);
    const code = randomBytes(16).toString('base64url');
    this.#grants.set(code, {
      user: visit.user,
      nonce: asked.get('nonce'),
      challenge: asked.get('code_challenge'),
    });
    const back = new URL(asked.get('redirect_uri') ?? '');
    back.searchParams.set('code', code);
    back.searchParams.set('state', asked.get('state') ?? '');
    response.writeHead(303, { Location: back.href }).end();
  }

  private async token(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await readAll(request));
    if (!this.isOurClient(request, form)) return respondJson(response, 401, { error: 'invalid_client' });
    const code = form.get('code') ?? '';
    const grant = this.#grants.get(code);
    this.#grants.delete(code);
    if (grant === undefined || !answersChallenge(grant, form.get('code_verifier'))) {
      return respondJson(response, 400, { error: 'invalid_grant' });
    }
    const accessToken = randomBytes(16).toString('base64url');
    this.#accessTokens.set(accessToken, grant.user);
    return respondJson(response, 200, {
      access_token: accessToken,
      token_type: 'Bearer',
      expires_in: TOKEN_LIFE_S,
      id_token: this.idToken(grant),
    });
  }

  private isOurClient(request: IncomingMessage, form: URLSearchParams): boolean {
    const { clientId, clientSecret } = this.client;
    const basic = Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
    if (request.headers.authorization === `Basic ${basic}`) return true;
    return form.get('client_id') === clientId && form.get('client_secret') === clientSecret;
  }

  private idToken({ user, nonce }: Grant): string {
    const now = Math.floor(Date.now() / 1000);
    const header = { alg: 'RS256', typ: 'JWT', kid: KEY_ID };
    const claims = {
      ...claimsOf(user),
      iss: this.issuer,
      aud: this.client.clientId,
      iat: now,
      exp: now + TOKEN_LIFE_S,
      ...(nonce === null ? {} : { nonce }),
    };
    const signed = [header, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    return `${signed}.${sign('RSA-SHA256', Buffer.from(signed), this.privateKey).toString('base64url')}`;
  }

  private userinfo(request: IncomingMessage, response: ServerResponse): void {
    const [, token = ''] = /^Bearer (.+)$/.exec(request.headers.authorization ?? '') ?? [];
    const user = this.#accessTokens.get(token);
    if (user === undefined) respondJson(response, 401, { error: 'invalid_token' });
    else respondJson(response, 200, claimsOf(user));
  }
}

const SIGN_IN_PAGE = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>University</title>
<link rel="icon" href="data:,"></head><body><h1>University</h1>
<form method="post"><label>Name <input name="user"></label> <button>Enter</button></form></body></html>`;

function claimsOf(user: string) {
  return { sub: `subject-${user}`, preferred_username: user, name: user };
}

/** RFC 7636, section 4.6. */
function answersChallenge({ challenge }: Grant, verifier: string | null): boolean {
  if (challenge === null) return true;
  return (
    createHash('sha256')
      .update(verifier ?? '')
      .digest('base64url') === challenge
  );
}

function cookieOf(request: IncomingMessage, name: string): string | undefined {
  const pairs = (request.headers.cookie ?? '').split('; ');
  const found = pairs.find((pair) => pair.startsWith(`${name}=`));
  return found && decodeURIComponent(found.slice(name.length + 1));
}

async function readAll(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function respondJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

function respondPage(response: ServerResponse, page: string): void {
  response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8' }).end(page);
}

function respond(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text);
}
