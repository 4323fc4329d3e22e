import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { makeCertificate } from '../support/certificate.ts';
import { LocalhostFront } from '../support/localhost_front.ts';
import type { RealApp, TwoFactorUser } from '../support/real_app.ts';
import { Visitor } from '../support/visitor.ts';
import type { TalkingClient } from './talking_client.ts';

const REDIRECT = 'http://127.0.0.1:8765/callback';
const TOKEN = '/_2fa/oauth2/token';

/**
 * What each client that speaks OAuth has to get through with 2FA on, before a real Synapse.
 *
 * @param begin a new client that talks to this address
 * @param alsoFinished what its sign-in says beside whose it is
 */
export function oauthJourney(
  app: () => RealApp,
  begin: (homeserver: string) => TalkingClient,
  alsoFinished: (user: TwoFactorUser) => JsonObject = () => ({}),
): void {
  // The Rust SDK revokes tokens over TLS only.
  const front = new LocalhostFront(newCertificate());
  const running: TalkingClient[] = [];

  beforeAll(async () => {
    await front.listen();
    await publishBehind(app(), front);
  });
  afterEach(() => Promise.all(running.splice(0).map((client) => client.stop())));
  afterAll(() => front.stop());

  const signIn = async (user: TwoFactorUser): Promise<TalkingClient> => {
    const client = begin(front.url);
    running.push(client);
    const { url } = await client.wish('begin', { redirect_uri: REDIRECT });
    const back = await authorize(app(), user, String(url));
    const finished = await client.wish('finish', { url: back, redirect_uri: REDIRECT });
    expect(finished).toMatchObject({ user_id: user.userId, ...alsoFinished(user) });
    return client;
  };

  test('it signs in with password and code, syncs, refreshes, loses an answer, refreshes again', async () => {
    const client = await signIn(await app().enrolledUser());
    const synced = { next_batch: expect.any(String) };
    expect(await client.wish('sync')).toEqual(synced);
    const first = await client.wish('tokens');
    expect(await app().whoami(String(first.access_token))).toBe(200);
    const second = await client.wish('refresh');
    expect(second.refresh_token).not.toBe(first.refresh_token);

    front.loseAnswerOf(TOKEN);
    await expect(client.wish('refresh')).rejects.toThrow('refresh');
    expect(await client.wish('tokens')).toEqual(second);
    const third = await client.wish('refresh');
    expect(third.refresh_token).not.toBe(second.refresh_token);
    expect(await client.wish('sync')).toEqual(synced);
  });

  test('it resets cross-signing once its owner has approved that with both factors, and logs out', async () => {
    const bob = await app().enrolledUser();
    const client = await signIn(bob);
    await client.wish('bootstrap');
    const { is, approval_url: approval } = await client.wish('reset');
    expect(is).toBe('oauth');
    await approve(app(), bob, String(approval));
    expect(await client.wish('finish_reset')).toEqual({});

    const { access_token: token } = await client.wish('tokens');
    await client.wish('logout');
    expect(await app().whoami(String(token))).toBe(401);
    await expect(client.wish('refresh')).rejects.toThrow('refresh');
  });
}

/** One that no one has signed: the clients are told not to mind. */
function newCertificate(): { key: Buffer; cert: Buffer } {
  const folder = mkdtempSync(join(tmpdir(), 'certificate-'));
  makeCertificate(folder, 'localhost');
  const [key, cert] = [readFileSync(join(folder, 'key.pem')), readFileSync(join(folder, 'certificate.pem'))];
  rmSync(folder, { recursive: true, force: true });
  return { key, cert };
}

/** The address that clients are told is that of the front. */
async function publishBehind(app: RealApp, front: LocalhostFront): Promise<void> {
  await app.stopProxy();
  const text = app.configText(0).replace(/public_base_url: .*/, `public_base_url: ${front.url}`);
  writeFileSync(app.configFile, `${text}\noauth: { enabled: true }\n`);
  await app.startProxy();
  front.target = app.url;
}

/** Signs in as a person would whose client has opened the browser; where the browser is sent back to. */
async function authorize(app: RealApp, user: TwoFactorUser, url: string): Promise<string> {
  const { pathname, search } = new URL(url);
  const visitor = new Visitor(app.url);
  await visitor.open(pathname + search);
  await visitor.send({ user: user.name, password: user.password });
  await visitor.send({ code: app.code(user) });
  const back = await visitor.send({ decision: 'allow' });
  if (back.status !== 303) throw new Error(`the page did not send back: ${back.status} ${back.text}`);
  return String(back.headers.location);
}

async function approve(app: RealApp, user: TwoFactorUser, url: string): Promise<void> {
  const { pathname, search } = new URL(url);
  const visitor = new Visitor(app.url);
  await visitor.open(pathname + search);
  await visitor.send({ code: app.code(user) });
  const approved = await visitor.send({ password: user.password });
  expect(approved.text).toContain('Approved');
}
