import { randomBytes } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { passwordLogin } from '../support/app.ts';
import type { HttpAnswer, HttpCall } from '../support/http.ts';
import { CLIENT, signedIn } from '../support/real_app.ts';
import { describeOnSynapse } from './describe_on_synapse.ts';

/** What belongs to one connection or one moment, and so differs between any two answers. */
const OF_THE_MOMENT = ['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding'];
/** The one header that the proxy adds: operators find the request in the log by it (docs/watch.md). */
const REQUEST_ID = 'x-request-id';
const RANDOM = [
  'access_token',
  'device_id',
  'refresh_token',
  'session',
  'login_token',
  'next_batch',
  'expires_in_ms',
];

await describeOnSynapse('a user without 2FA notices nothing, on a real Synapse', (app) => {
  /** The same request through the proxy and at Synapse itself. */
  async function bothWays(what: HttpCall): Promise<[HttpAnswer, HttpAnswer]> {
    return [await app().call(what), await app().direct(what)];
  }

  test('logins, guarded requests, sync and profiles are answered byte for byte as without us', async () => {
    await app().enrolledUser();
    const alice = await app().signedInUser();
    const { token } = alice;
    const login = passwordLogin(alice.name, alice.password);
    const requests: HttpCall[] = [
      { target: `${CLIENT}/login`, json: login },
      {
        target: `${CLIENT}/login`,
        json: { ...login, device_id: 'HERS', initial_device_display_name: 'Hers' },
      },
      { target: `${CLIENT}/login`, json: { ...login, refresh_token: true } },
      { target: '/_matrix/client/r0/login', json: login },
      { target: `${CLIENT}/delete_devices`, json: { devices: ['NONE'] }, token },
      { method: 'DELETE', target: `${CLIENT}/devices/NONE`, json: {}, token },
      { target: `${CLIENT}/account/password`, json: { new_password: 'x' }, token },
      { target: `${CLIENT}/account/deactivate`, json: {}, token },
      { target: `${CLIENT}/sync?timeout=0`, token },
      { target: `${CLIENT}/profile/${encodeURIComponent(alice.userId)}` },
      { target: `${CLIENT}/account/whoami`, token },
      { target: `${CLIENT}/devices/NONE`, token },
      { target: `${CLIENT}/nowhere`, token },
      { target: `${CLIENT}/pushrules/`, token: 'invented' },
      { method: 'HEAD', target: `${CLIENT}/account/whoami`, token },
      { method: 'OPTIONS', target: `${CLIENT}/sync` },
    ];
    for (const request of requests) {
      const [through, direct] = await bothWays(request);
      const about = `${request.method ?? ''} ${request.target}`;
      const { [REQUEST_ID]: id, ...headers } = headersOf(through);
      expect({ about, ...comparable(through), headers }).toEqual({ about, ...comparable(direct) });
    }
  });

  test('refusals have the status and the body that Synapse gave them', async () => {
    const alice = await app().signedInUser();
    const requests: HttpCall[] = [
      { target: `${CLIENT}/login`, json: passwordLogin(alice.name, 'wrong') },
      { target: `${CLIENT}/login`, json: passwordLogin('nobody', 'wrong') },
      { target: `${CLIENT}/login`, json: { type: 'm.login.unheard_of' } },
      { target: `${CLIENT}/refresh`, json: { refresh_token: 'syr_invented' } },
    ];
    for (const request of requests) {
      const [through, direct] = await bothWays(request);
      expect([through.status, through.text]).toEqual([direct.status, direct.text]);
    }
  });

  test('refresh tokens of a login without a second factor work as ever', async () => {
    const alice = await app().user();
    const login = await app().login(alice, alice.password, { refresh_token: true });
    const refreshed = await app().post(`${CLIENT}/refresh`, {
      refresh_token: String(login.json.refresh_token),
    });
    expect(await app().whoami(String(refreshed.json.access_token))).toBe(200);
  });

  test('a long poll of sync waits, and answers when something happens', async () => {
    const alice = await app().signedInUser();
    const { token } = alice;
    const room = await app().post(`${CLIENT}/createRoom`, {}, token);
    const before = await app().call({ target: `${CLIENT}/sync?timeout=0`, token });
    const poll = app().call({
      target: `${CLIENT}/sync?timeout=30000&since=${encodeURIComponent(String(before.json.next_batch))}`,
      token,
    });
    const message = { msgtype: 'm.text', body: 'are you there?' };
    const roomId = String(room.json.room_id);
    const target = `${CLIENT}/rooms/${encodeURIComponent(roomId)}/send/m.room.message/1`;
    expect((await app().call({ method: 'PUT', target, json: message, token })).status).toBe(200);

    const { json } = await poll;
    expect(json).toMatchObject({
      rooms: { join: { [roomId]: { timeline: { events: [{ content: message }] } } } },
    });
  });

  test('a client that gives a poll up is not waited for', async () => {
    const { token } = await app().signedInUser();
    const before = await app().call({ target: `${CLIENT}/sync?timeout=0`, token });
    const target = `${CLIENT}/sync?timeout=60000&since=${encodeURIComponent(String(before.json.next_batch))}`;
    const giveUp = new AbortController();
    const poll = app().call({ target, token, signal: giveUp.signal });
    await app().call({ target: `${CLIENT}/account/whoami`, token });
    giveUp.abort();
    await expect(poll).rejects.toThrow('aborted');
    expect((await app().call({ target: `${CLIENT}/account/whoami`, token })).status).toBe(200);
  });

  test('room ids and state keys keep their %-escapes', async () => {
    const { token } = await app().signedInUser();
    const room = await app().post(`${CLIENT}/createRoom`, {}, token);
    const stateKeys = ['a/b', 'a%2Fb', 'ü #?&=+', '@not:mine', '..', ' '];
    for (const stateKey of stateKeys) {
      const place = [String(room.json.room_id), 'org.example.state', stateKey].map(encodeURIComponent);
      const [id, type, key] = place.map((part) => part.replaceAll('.', '%2E'));
      const target = `${CLIENT}/rooms/${id}/state/${type}/${key}`;
      const json = { stateKey };
      const [put] = [await app().call({ method: 'PUT', target, json, token })];
      const direct = await app().direct({ method: 'PUT', target, json, token });
      expect([put.status, 'event_id' in put.json]).toEqual([direct.status, 'event_id' in direct.json]);
      const [through, itself] = await bothWays({ target, token });
      expect([through.status, through.text]).toEqual([itself.status, itself.text]);
    }
  });

  test('media go up and come down unchanged', async () => {
    const { token } = await app().signedInUser();
    const picture = randomBytes(700_000);
    const uploaded = await app().call({
      method: 'POST',
      target: '/_matrix/media/v3/upload?filename=a%20b.png',
      body: picture,
      headers: { 'content-type': 'image/png' },
      token,
    });
    const [, , server, media] = String(uploaded.json.content_uri).split('/');
    const target = `/_matrix/client/v1/media/download/${server}/${media}`;
    const [through, direct] = await bothWays({ target, token });
    expect(through.bytes.equals(picture)).toBe(true);
    expect(headersOf(through)).toEqual(headersOf(direct));
  });

  test('logging out logs out', async () => {
    const alice = await app().signedInUser();
    const other = signedIn(await app().login(alice, alice.password));
    await app().post(`${CLIENT}/logout`, {}, other.token);
    expect([await app().whoami(other.token), await app().whoami(alice.token)]).toEqual([401, 200]);
    await app().post(`${CLIENT}/logout/all`, {}, alice.token);
    expect(await app().whoami(alice.token)).toBe(401);
  });
});

function comparable(answer: HttpAnswer) {
  return { status: answer.status, headers: headersOf(answer), text: withoutRandom(answer.text) };
}

function headersOf({ headers }: HttpAnswer) {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !OF_THE_MOMENT.includes(name)));
}

/** The body byte for byte, but for values that Synapse draws again each time. */
function withoutRandom(text: string): string {
  const keys = RANDOM.join('|');
  return text.replaceAll(new RegExp(`"(${keys})":\\s*("[^"]*"|[0-9]+)`, 'g'), '"$1":"…"');
}
