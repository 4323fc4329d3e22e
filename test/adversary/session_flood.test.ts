import { statSync } from 'node:fs';
import { afterEach, expect, test } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import {
  BOBS_PASSWORD,
  bobsPassword,
  DELETE_DEVICES as DELETE_DEVICES_CALL,
  startGuarded,
  TOTP,
} from '../guard/guarded.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { cpuCostMs } from '../support/cpu_cost.ts';
import { countSessions } from '../support/rows.ts';
import { Visitor } from '../support/visitor.ts';

const V3 = '/_matrix/client/v3';
const DELETE_DEVICES = `${V3}/delete_devices`;
const UPLOAD_KEYS = `${V3}/keys/device_signing/upload`;
const NO_LIMITS = '{ per_second: 9999, burst_count: 99999 }';
const MIB = 1024 * 1024;

let app: TestApp;
afterEach(() => app.stop());

function sizeOfDatabase(): number {
  return ['2fa.db', '2fa.db-wal'].reduce((sum, file) => sum + statSync(`${app.directory}/${file}`).size, 0);
}

/** Bodies of nearly 1 MiB, none like another. */
function largeRequest(turn: number): { target: string; body: JsonObject } {
  const padding = `${turn}`.padStart(MIB - 300, 'DEVICE');
  if (turn % 2 === 0) return { target: DELETE_DEVICES, body: { devices: [padding] } };
  const keys = { 'ed25519:another': 'another' };
  return {
    target: UPLOAD_KEYS,
    body: { master_key: { user_id: '@bob:localhost', usage: ['master'], keys, note: padding } },
  };
}

test('attack 122: 300 bodies of 1 MiB under one token cost others and the disk nothing', async () => {
  const it = await startGuarded({ config: `limits: { per_address: ${NO_LIMITS} }` });
  ({ app } = it);
  const token = it.bobsToken;
  const other = app.stub.signIn('bob', 'OTHER').token;
  const flood = async (turns: number, start: number) => {
    for (let turn = start; turn < start + turns; turn += 1) {
      const { target, body } = largeRequest(turn);
      expect((await app.post(target, body, token)).status).toBe(401);
    }
  };
  const asked = (as: string) => () => app.post(DELETE_DEVICES, { devices: ['A'] }, as);
  await asked(other)();
  const calm = await cpuCostMs(asked(other));
  await flood(300, 0);
  expect(await cpuCostMs(asked(token), 8)).toBeLessThan(50);
  expect(await cpuCostMs(asked(other), 8)).toBeLessThan(calm + 20);
  expect(await countSessions(app.storage)).toBeLessThanOrEqual(51);
  const grown = sizeOfDatabase();
  expect(grown).toBeLessThan(64 * MIB);
  await flood(60, 300);
  expect(sizeOfDatabase()).toBeLessThan(grown + MIB);
});

test('attack 122: a body over 16 KiB is not kept: the client repeats it, and nothing is lost where it does not', async () => {
  const it = await startGuarded();
  ({ app } = it);
  const token = it.bobsToken;
  const body = { devices: Array.from({ length: 2000 }, (_, index) => `DEVICE${index}`) };
  const { session } = (await app.post(DELETE_DEVICES, body, token)).json;
  const send = (auth: JsonObject, more: JsonObject = {}) =>
    app.post(DELETE_DEVICES, { ...more, auth: { ...auth, session: session as string } }, token);
  const page = await app.call({ target: `${V3}/auth/m.login.sso/fallback/web?session=${session}` });
  expect(page.status).toBe(200);
  const code = { type: TOTP, token: app.code(it.bob) };
  expect((await send(code)).json.completed).toEqual([TOTP]);
  expect((await send({})).json.completed).toEqual([TOTP]);
  for (const auth of [bobsPassword(), bobsPassword(`${BOBS_PASSWORD} ${app.code(it.bob, 1)}`)]) {
    const alone = await send(auth);
    expect([alone.status, alone.json.errcode]).toEqual([400, 'M_MISSING_PARAM']);
  }
  for (const devices of [['A'], body.devices.slice(1)]) {
    expect((await send(bobsPassword(), { devices })).status).toBe(403);
  }
  expect(it.upstream()).toEqual([]);
  const done = await send(bobsPassword(), body);
  expect(done.status).toBe(200);
  expect(app.stub.requestsBesideLookups()[0]?.json).toEqual({ ...body, auth: bobsPassword() });
});

test('attack 122: a large login body is repeated whole as well', async () => {
  const it = await startGuarded();
  ({ app } = it);
  const body = passwordLogin('bob', BOBS_PASSWORD, { 'org.example.note': 'x'.repeat(20_000) });
  const { session } = (await app.post(LOGIN, body)).json;
  const auth = { type: TOTP, session: session as string, token: app.code(it.bob) };
  const alone = await app.post(LOGIN, { auth });
  expect([alone.status, alone.json.errcode]).toEqual([400, 'M_MISSING_PARAM']);
  expect((await app.post(LOGIN, { ...body, auth })).status).toBe(200);
});

test('attack 138: a flood of sign-ins that join one hold costs the owner nothing', async () => {
  const it = await startGuarded({
    config: `trusted_proxies: [127.0.0.1]\nlimits: { per_address: ${NO_LIMITS}, sign_in_per_user: ${NO_LIMITS} }`,
  });
  ({ app } = it);
  const from = (address: string) => ({ 'x-forwarded-for': address });
  const home = from('198.51.100.7');
  const guarded = await app.call({
    target: DELETE_DEVICES,
    token: it.bobsToken,
    json: { devices: ['OLDPHONE'] },
    headers: home,
  });
  const session = guarded.json.session as string;
  await it.authAlone(DELETE_DEVICES_CALL, { type: TOTP, session, token: app.code(it.bob) });
  const owner = new Visitor(app.url, home);
  await owner.open('/_2fa/login?redirectUrl=https%3A%2F%2Fclient.example.org%2F');
  await owner.send({ user: 'bob', password: BOBS_PASSWORD });
  const body = passwordLogin('bob', BOBS_PASSWORD);
  const native = await app.call({ target: LOGIN, json: body, headers: home });
  const sessions = new Set<unknown>([native.json.session]);
  for (let turn = 0; turn < 300; turn += 1) {
    const flood = await app.call({ target: LOGIN, json: body, headers: from(`203.0.113.${turn % 250}`) });
    expect(flood.status).toBe(401);
    sessions.add(flood.json.session);
  }
  // No two sign-ins share a session.
  expect(sessions.size).toBe(301);
  expect(await countSessions(app.storage)).toBeLessThanOrEqual(52);
  // The session under a token keeps its passed stage.
  const done = await it.authAlone(DELETE_DEVICES_CALL, bobsPassword(BOBS_PASSWORD, { session }));
  expect(done.status).toBe(200);
  // The page goes on.
  app.clock.advance(30_000);
  const code = await owner.send({ code: app.code(it.bob) });
  expect(code.status).toBe(200);
  expect((await owner.send({ decision: 'allow' })).status).toBe(303);
  // The native sign-in of another network is still there.
  app.clock.advance(30_000);
  const auth = { type: TOTP, session: native.json.session as string, token: app.code(it.bob) };
  const finished = await app.call({ target: LOGIN, json: { auth }, headers: home });
  expect(finished.status).toBe(200);
});

test('attack 138: where a flood came from the same network, the whole body signs in with its code', async () => {
  const it = await startGuarded({
    config: `limits: { per_address: ${NO_LIMITS}, sign_in_per_user: ${NO_LIMITS} }`,
  });
  ({ app } = it);
  const body = passwordLogin('bob', BOBS_PASSWORD);
  const native = await app.post(LOGIN, body);
  for (let turn = 0; turn < 60; turn += 1) await app.post(LOGIN, body);
  const auth = { type: TOTP, session: native.json.session as string, token: app.code(it.bob) };
  expect((await app.post(LOGIN, { auth })).status).toBe(401);
  expect((await app.post(LOGIN, { ...body, auth })).status).toBe(200);
});
