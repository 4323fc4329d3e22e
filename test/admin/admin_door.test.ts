import { beforeEach, expect, test } from '@jest/globals';
import fc from 'fast-check';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { ask as askStore } from '../../src/storage/statement.ts';
import { keepDevicePassword, listDevicePasswords } from '../../src/storage/tables/device_passwords.ts';
import { addNotice, buryNotices } from '../../src/storage/tables/notices.ts';
import { beginRecovery } from '../../src/storage/tables/recovery_requests.ts';
import { createLogger } from '../../src/system/logger.ts';
import { FROM_BEFORE } from '../account_recovery/recovering.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import type { HttpCall } from '../support/http.ts';
import { operate } from '../support/operate.ts';
import {
  ADMIN,
  ask,
  description,
  GROUNDS,
  isRefusal,
  misfit,
  newToken,
  WITH_ADMIN,
} from './administrator.ts';

const BOB = '@bob:localhost';
const BOBS = `${ADMIN}/users/${encodeURIComponent(BOB)}`;
const ALL = 'users:read,users:write,users:rescue,audit:read,notices,recovery';
const LETTER = {
  ...{ event: 'totp.enabled', userId: BOB, actor: 'user', address: null, deviceId: null, detail: {} },
  happenedAt: 1,
};
const WITH_RECOVERY = { ...WITH_ADMIN, config: `${WITH_ADMIN.config}\naccount_recovery: { enabled: true }` };
const SEED = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ';
const CSV = `user_id,seed\n@cid:localhost,${SEED}\n`;

describeOnBothDatabases('the admin API', (start) => {
  let app: TestApp;
  let token: string;

  beforeEach(async () => {
    app = await start(WITH_RECOVERY);
    await app.enrol('bob');
    token = await newToken(app, 'all', ALL);
  });

  function get(target: string, more: Partial<HttpCall> = {}) {
    return ask(app, { method: 'GET', target, token, ...more });
  }

  function post(target: string, more: Partial<HttpCall> = {}, to = app) {
    return ask(to, { method: 'POST', target, token, json: GROUNDS, ...more });
  }

  async function events(userId: string): Promise<string[]> {
    return (await app.storage.audit.list({ userId })).map(({ event }) => event);
  }

  function keepDevicePasswordOf(userId: string) {
    const made = {
      ...{ id: 'd', userId, name: 'bot', deviceId: 'BOT', lifetimeMs: null },
      ...{ secretDigest: 'key.00', tokenHash: 'hash', sealedToken: Buffer.alloc(0) },
    };
    return app.storage.commit([userId], keepDevicePassword(made, 9));
  }

  test('a reset leaves device passwords, unless they are to be revoked, also when there is no factor left', async () => {
    await keepDevicePasswordOf(BOB);
    const live = () => app.storage.read(listDevicePasswords(BOB));
    const left = await post(`${BOBS}/reset`);
    expect([left.status, left.json]).toEqual([200, { authenticators: 1, device_passwords: 0 }]);
    expect(await live()).toHaveLength(1);
    expect((await post(`${BOBS}/reset`)).status).toBe(404);
    const order = { json: { ...GROUNDS, revoke_device_passwords: true } };
    const revoked = await post(`${BOBS}/reset`, order);
    expect([revoked.status, revoked.json]).toEqual([200, { authenticators: 0, device_passwords: 1 }]);
    expect(await live()).toEqual([]);
    const [ended] = await app.storage.audit.list({ userId: BOB });
    expect(ended).toMatchObject({ event: 'device_password.ended', actor: 'admin:all' });
    expect((await post(`${BOBS}/reset`, order)).status).toBe(404);
  });

  test('each request has its line in the log, with route and token, and its id in the answer', async () => {
    const lines: string[] = [];
    const log = createLogger({ level: 'debug', format: 'json' }, { write: (line) => void lines.push(line) });
    const other = await start({ ...WITH_ADMIN, log });
    const reader = await newToken(other, 'reader', 'users:read');
    const send = (method: string, target: string, bearer: string) =>
      ask(other, { method, target, token: bearer, ...(method === 'GET' ? {} : { json: {} }) });
    const shown = await send('GET', `${ADMIN}/users`, reader);
    await send('POST', `${BOBS}/unlock`, reader);
    await send('GET', `${ADMIN}/users`, 'm2fa_admin_invented');
    await send('GET', `${ADMIN}/nowhere`, reader);
    const logged = lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'request');
    expect(logged).toMatchObject([
      { outcome: 'passed', route: 'listUsers', door: 'admin', status: 200, actor: 'admin:reader' },
      { outcome: 'refused', route: 'unlockUser', status: 403, actor: 'admin:reader' },
      { outcome: 'refused', reason: 'token', status: 401, method: 'GET', address: '127.0.0.1' },
      { outcome: 'refused', reason: 'target', status: 404, actor: 'admin:reader' },
    ]);
    expect(shown.headers['x-request-id']).toBe(logged[0]?.request_id);
    expect(lines.join('')).not.toContain(reader);
    const refused = (await other.storage.audit.list({})).find(({ event }) => event === 'admin.refused');
    expect(refused?.requestId).toBe(logged[2]?.request_id);
  });

  test('each route answers as spec/openapi.json says, and does what the command does', async () => {
    await app.storage.commit([], [addNotice('n1', 'webhook', LETTER), buryNotices('webhook', 'x', -1)]);
    await app.storage.commit([BOB], beginRecovery(FROM_BEFORE));
    const answers = {
      [`GET ${ADMIN}/users`]: await get(`${ADMIN}/users?limit=1`),
      [`GET ${ADMIN}/users/{id}`]: await get(BOBS),
      [`GET ${ADMIN}/recovery_requests`]: await get(`${ADMIN}/recovery_requests`),
      [`GET ${ADMIN}/users/{id}/recovery_requests`]: await get(`${BOBS}/recovery_requests`),
      [`POST ${ADMIN}/users/{id}/recovery_requests/approve`]: await post(`${BOBS}/recovery_requests/approve`),
      [`POST ${ADMIN}/users/{id}/recovery_requests/deny`]: await post(`${BOBS}/recovery_requests/deny`),
      [`PUT ${ADMIN}/users/{id}/policy`]: await ask(app, {
        ...{ method: 'PUT', token, target: `${BOBS}/policy`, json: { mode: 'required', grace: '7d' } },
      }),
      [`POST ${ADMIN}/users/{id}/unlock`]: await post(`${BOBS}/unlock`, { json: {} }),
      [`POST ${ADMIN}/users/{id}/emergency_code`]: await post(`${BOBS}/emergency_code`),
      [`POST ${ADMIN}/users/{id}/reset`]: await post(`${BOBS}/reset`),
      [`POST ${ADMIN}/users/import`]: await ask(app, {
        ...{ method: 'POST', token, target: `${ADMIN}/users/import?from=csv`, body: CSV },
      }),
      [`GET ${ADMIN}/audit`]: await get(
        `${ADMIN}/audit?actor=admin:all&event=operator.reset,operator.unlock`,
      ),
      [`GET ${ADMIN}/report`]: await get(`${ADMIN}/report?months=2`),
      [`GET ${ADMIN}/notices/dead_letters`]: await get(`${ADMIN}/notices/dead_letters`),
      [`POST ${ADMIN}/notices/dead_letters/{id}/retry`]: await post(
        `${ADMIN}/notices/dead_letters/n1/retry`,
        { json: {} },
      ),
      [`GET ${ADMIN}/openapi.json`]: await get(`${ADMIN}/openapi.json`),
    };
    const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
    );
    expect(Object.keys(answers).toSorted()).toEqual(operations.toSorted());
    for (const [operation, answer] of Object.entries(answers)) {
      const [method = '', path = ''] = operation.split(' ');
      expect([operation, answer.status, misfit(path, method, answer)]).toEqual([operation, 200, undefined]);
      expect(answer.headers['access-control-allow-origin']).toBeUndefined();
    }
    expect(answers[`GET ${ADMIN}/openapi.json`]?.json).toEqual(description);
    const [retried] = (await app.storage.audit.list({})).filter(({ event }) => event === 'notice.retried');
    expect(retried).toMatchObject({ actor: 'admin:all', detail: { notice: 'n1' } });
    const again = await post(`${ADMIN}/notices/dead_letters/n1/retry`, { json: {} });
    expect([again.status, again.json.errcode]).toEqual([404, 'M_NOT_FOUND']);
    expect(await events(BOB)).toEqual([
      'operator.reset',
      'operator.emergency_code',
      'operator.unlock',
      'policy.changed',
      'recovery_request.denied',
      'recovery_request.approved',
    ]);
    const [ended] = (await get(`${BOBS}/recovery_requests`)).json.requests as JsonObject[];
    expect(ended).toMatchObject({
      id: 'r1',
      state: 'cancelled',
      ended_by: 'operator',
      ended_who: 'admin:all',
    });
    expect((await post(`${BOBS}/recovery_requests/approve`)).status).toBe(404);
    const by = { actor: 'admin:all', user_id: BOB };
    const unlock = { ...by, event: 'operator.unlock' };
    const reset = { ...by, event: 'operator.reset', detail: { authenticators: 1, ...GROUNDS } };
    const shown = answers[`GET ${ADMIN}/audit`]?.json;
    expect(shown).toMatchObject({ entries: [unlock, reset], next: null });
    const filter = `user=${encodeURIComponent(BOB)}&event=operator.unlock,operator.reset&limit=1`;
    const first = await get(`${ADMIN}/audit?${filter}`);
    const second = await get(`${ADMIN}/audit?${filter}&after=${first.json.next}`);
    expect([first.json.entries, second.json.entries]).toMatchObject([[unlock], [reset]]);
    const report = answers[`GET ${ADMIN}/report`]?.json;
    expect(report).toMatchObject({ users: { enabled: 1 }, months: [{}, { resets: 1, emergency_codes: 1 }] });
    const none = await get(`${ADMIN}/audit?since=${app.clock.now() + 1}`);
    expect(none.json).toEqual({ entries: [], next: null });
    expect(await app.storage.factors.enrolledUsers()).toEqual(['@cid:localhost']);
  });

  test('pages of users, and imports that are looked at only, or refused', async () => {
    const file = `user_id,seed\nann,${SEED}\n@zoe:localhost,${SEED}\n`;
    const into = `${ADMIN}/users/import?from=csv&server_name=localhost`;
    const dry = await ask(app, { method: 'POST', token, target: `${into}&dry_run=true`, body: file });
    expect(dry.json).toEqual({ imported: 2, skipped: [], errors: [] });
    expect(await app.storage.factors.enrolledUsers()).toEqual([BOB]);
    await ask(app, { method: 'POST', token, target: into, body: file });
    const pages = [];
    for (let after: unknown = ''; after !== null && pages.length < 9; after = pages.at(-1)?.next)
      pages.push((await get(`${ADMIN}/users?limit=1&after=${encodeURIComponent(String(after))}`)).json);
    expect(pages.flatMap(({ users }) => users)).toMatchObject([
      { user_id: '@ann:localhost' },
      { user_id: BOB },
      { user_id: '@zoe:localhost' },
    ]);
    const found = await get(`${ADMIN}/users?with_2fa=true&no_codes=true&factor=totp&search=ZOE`);
    expect(found.json).toMatchObject({ users: [{ user_id: '@zoe:localhost', enabled: true }], next: null });
    expect((await get(`${ADMIN}/users?with_2fa=true&without_2fa=true`)).status).toBe(400);
    const again = await ask(app, { method: 'POST', token, target: into, body: file });
    expect(again.json).toMatchObject({ imported: 0, errors: [{ place: 'line 2' }, { place: 'line 3' }] });
    const half = await ask(app, { method: 'POST', token, target: into, body: 'user_id' });
    expect([half.status, half.json.error]).toEqual([
      400,
      'The file: the first line must name the column seed.',
    ]);
  });

  test('attack 195: no, a wrong, an expired, a revoked, a short-scoped token, and pages', async () => {
    const reading = await newToken(app, 'reading', 'users:read');
    const short = await newToken(app, 'short', 'users:read,users:rescue', '--expires', '1m');
    const gone = await newToken(app, 'gone', ALL);
    const status = async (more: Partial<HttpCall>) => (await get(BOBS, more)).status;
    expect(await status({})).toBe(200);
    expect((await ask(app, { method: 'GET', target: BOBS })).json.errcode).toBe('M_MISSING_TOKEN');
    expect(await status({ token: `${token}x` })).toBe(401);
    expect(await status({ headers: { authorization: `Basic ${token}` } })).toBe(401);
    expect(await status({ headers: { origin: 'https://evil.example' } })).toBe(403);
    expect(await status({ headers: { origin: 'null' } })).toBe(403);

    const narrow = await post(`${BOBS}/reset`, { token: reading });
    expect([narrow.status, narrow.json.error]).toEqual([
      403,
      'This takes a token with the scope users:rescue.',
    ]);
    expect((await post(`${BOBS}/unlock`, { token: reading, json: {} })).status).toBe(403);
    expect(await app.storage.factors.isEnrolled(BOB)).toBe(true);

    expect(await status({ token: short })).toBe(200);
    app.clock.advance(60_000);
    expect(await status({ token: short })).toBe(401);
    expect(await status({ token: gone })).toBe(200);
    expect((await operate(app, 'admin', 'token', 'revoke', 'gone')).code).toBe(0);
    app.clock.advance(1000);
    expect(await status({ token: gone })).toBe(401);

    expect((await app.call({ method: 'GET', target: BOBS, token })).status).toBe(404);
    const refused = (await events('')).filter((event) => event === 'admin.refused');
    expect(refused).toHaveLength(6);
  });

  test('attack 195: ten wrong tokens, and then none is looked at, but a right one passes', async () => {
    const wrong = [];
    for (let at = 0; at < 12; at += 1) wrong.push((await get(BOBS, { token: `m2fa_admin_${at}` })).status);
    expect(wrong).toEqual([...Array(10).fill(401), 429, 429]);
    expect((await get(BOBS)).status).toBe(200);
    const many = await Promise.all(Array.from({ length: 60 }, () => get(`${ADMIN}/openapi.json`)));
    const limited = many.filter(({ status }) => status === 429);
    expect(limited.length).toBeGreaterThanOrEqual(10);
    expect(limited[0]?.json.retry_after_ms).toBeGreaterThan(0);
  });

  test('attack 195: a request with a key is carried out once, whoever sends it again', async () => {
    const other = await app.startAnother();
    const headers = { 'idempotency-key': 'ticket-1' };
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) =>
        post(`${BOBS}/emergency_code`, { headers }, at % 2 === 0 ? app : other),
      ),
    );
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    const code = String(answers[0]?.json.code);
    expect(await events(BOB)).toEqual(['operator.emergency_code']);
    const rows = await app.storage.read(
      askStore<{ sealed: Buffer }>('SELECT sealed_answer AS sealed FROM admin_answers'),
    );
    expect(rows).toHaveLength(1);
    expect(rows[0]?.sealed.includes(code)).toBe(false);

    const json = { ...GROUNDS, reason: 'another' };
    const conflict = await post(`${BOBS}/emergency_code`, { headers, json });
    expect([conflict.status, conflict.json.errcode]).toEqual([409, 'M_CONFLICT']);
    const second = await newToken(app, 'second', ALL);
    expect((await post(`${BOBS}/emergency_code`, { headers, token: second })).json.code).not.toBe(code);
    app.clock.advance(24 * 3_600_000);
    expect((await post(`${BOBS}/emergency_code`, { headers, json })).json.code).not.toBe(code);

    const refused = { headers: { 'idempotency-key': 'ticket-2' } };
    expect((await post(`${ADMIN}/users/%40no%3Alocalhost/reset`, refused)).status).toBe(404);
    expect((await post(`${BOBS}/reset`, refused)).status).toBe(200);
    expect((await post(`${BOBS}/reset`, { headers: { 'idempotency-key': 'a b' } })).status).toBe(400);
  });

  test('attack 195: killed right after the act: another process answers an equal request as it was done, and acts no more', async () => {
    const other = await app.startAnother();
    const { commit } = app.storage;
    await keepDevicePasswordOf(BOB);
    const acts: [string, string, JsonObject][] = [
      ['POST', `${BOBS}/emergency_code`, GROUNDS],
      ['PUT', `${BOBS}/policy`, { mode: 'required', grace: '7d' }],
      ['POST', `${BOBS}/unlock`, {}],
      ['POST', `${BOBS}/reset`, { ...GROUNDS, revoke_device_passwords: true }],
    ];
    for (const [method, target, body] of acts) {
      let acted = false;
      // As far as the database is concerned it ends with the commit of the act.
      const dying: typeof commit = (accounts, unit) => {
        if (acted) return Promise.reject(new StoreUnavailable('killed'));
        acted = accounts.length > 0;
        return commit(accounts, unit);
      };
      Object.assign(app.storage, { commit: dying });
      const call: HttpCall = {
        method,
        target,
        token,
        json: body,
        headers: { 'idempotency-key': `once${target}` },
      };
      await ask(app, call);
      Object.assign(app.storage, { commit });
      const before = await events(BOB);
      const answer = await ask(other, call);
      expect([
        answer.status,
        misfit(target.replace(encodeURIComponent(BOB), '{id}'), method, answer),
      ]).toEqual([200, undefined]);
      expect(await events(BOB)).toEqual(before);
    }
    expect(await app.storage.read(listDevicePasswords(BOB))).toEqual([]);
    // The end of the device password is one more.
    expect(await events(BOB)).toHaveLength(acts.length + 1);
  });

  test('attack 195: other methods, paths, parameters and bodies', async () => {
    const calls: [string, string, Partial<HttpCall>, number][] = [
      ['GET', `${ADMIN}/users?limit=0`, {}, 400],
      ['GET', `${ADMIN}/users?limit=1&limit=2`, {}, 400],
      ['GET', `${ADMIN}/users?without_codes=true`, {}, 400],
      ['GET', `${ADMIN}/users/bob`, {}, 404],
      ['GET', `${ADMIN}/users/%ff`, {}, 404],
      ['GET', `${ADMIN}/users/%40a%00%3Alocalhost`, {}, 404],
      ['GET', `${ADMIN}/users?search=%00`, {}, 400],
      ['POST', `${ADMIN}/notices/dead_letters/a%00/retry`, {}, 404],
      ['GET', `${ADMIN}/users/`, {}, 404],
      ['GET', `${ADMIN}/users/../users`, {}, 404],
      ['GET', `${ADMIN}/nothing`, {}, 404],
      ['GET', '/metrics', {}, 404],
      ['DELETE', `${ADMIN}/users`, {}, 405],
      ['PUT', `${BOBS}/policy`, { json: { mode: 'sometimes' } }, 400],
      ['PUT', `${BOBS}/policy`, { json: { mode: 'required', grace: 'soon' } }, 400],
      ['PUT', `${BOBS}/policy`, { json: { mode: null, grace: '1d' } }, 400],
      ['OPTIONS', BOBS, {}, 405],
      ['POST', `${BOBS}/reset`, { json: { reason: 'x' } }, 400],
      ['POST', `${BOBS}/reset`, { json: { ...GROUNDS, reason: ' \t' } }, 400],
      ['POST', `${BOBS}/reset`, { json: { ...GROUNDS, reason: 'lost\0' } }, 400],
      ['POST', `${BOBS}/emergency_code`, { json: { ...GROUNDS, verified_by: '\0' } }, 400],
      ['POST', `${BOBS}/unlock`, { json: { reason: 'a\0b' } }, 400],
      ['POST', `${BOBS}/reset`, { json: { ...GROUNDS, force: true } }, 400],
      ['POST', `${BOBS}/reset`, { body: '{' }, 400],
      ['POST', `${BOBS}/reset`, { json: { ...GROUNDS, reason: 'x'.repeat(65_536) } }, 413],
      ['POST', `${ADMIN}/users/import`, { body: CSV }, 400],
      ['POST', `${ADMIN}/users/import?from=pskc`, { body: CSV }, 400],
    ];
    for (const [method, target, more, status] of calls) {
      const answer = await ask(app, { method, target, token, ...more });
      expect([method, target, answer.status, isRefusal(answer)]).toEqual([method, target, status, true]);
    }
    expect(await app.storage.factors.isEnrolled(BOB)).toBe(true);
  });
});

describeOnBothDatabases('any request to the admin API', (start) => {
  test('attack 195: gets an answer that spec/openapi.json has', async () => {
    const app = await start(WITH_RECOVERY);
    await app.enrol('bob');
    const token = await newToken(app, 'all', ALL);
    const operations = Object.entries(description.paths).flatMap(([path, methods]) =>
      Object.keys(methods).map((method) => ({ path, method: method.toUpperCase() })),
    );
    const request = fc.record({
      operation: fc.constantFrom(...operations),
      id: fc.oneof(fc.constant(BOB), fc.string(), fc.constant('@eve:localhost')),
      query: fc.oneof(
        fc.constant(''),
        fc
          .dictionary(fc.constantFrom('limit', 'after', 'from', 'dry_run', 'x'), fc.string())
          .map((given) => new URLSearchParams(given).toString()),
      ),
      body: fc.oneof(fc.constant(JSON.stringify(GROUNDS)), fc.json(), fc.string()),
      key: fc.option(fc.stringMatching(/^[!-~]{1,8}$/), { nil: undefined }),
      isRight: fc.integer({ min: 0, max: 9 }).map((number) => number > 0),
    });
    await fc.assert(
      fc.asyncProperty(request, async ({ operation, id, query, body, key, isRight }) => {
        const { path, method } = operation;
        const target = `${path.replace('{id}', encodeURIComponent(id) || 'x')}${query === '' ? '' : `?${query}`}`;
        app.clock.advance(10_000);
        const answer = await ask(app, {
          ...{ method, target, token: isRight ? token : 'wrong' },
          headers: key === undefined ? {} : { 'idempotency-key': key },
          ...(method === 'GET' ? {} : { body }),
        });
        expect(answer.status).toBeLessThan(500);
        expect(misfit(path, method, answer)).toBeUndefined();
      }),
      { numRuns: 120 },
    );
  });
});
