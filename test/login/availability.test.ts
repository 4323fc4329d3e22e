import { describe, expect, test } from '@jest/globals';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import type { DownMode } from '../support/stub/stub.ts';
import { app, bob, start } from './each_test.ts';
import { ask, failCommits, failToHold, MINUTE, PASSWORD, post, signIn, submit } from './support.ts';

/** Every method of a part of the store fails, as when the database is gone. */
function takeAway(part: object): () => void {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(part)).filter(
    (name) => name !== 'constructor',
  );
  for (const name of names) {
    Reflect.set(part, name, async () => {
      throw new StoreUnavailable(new Error('the database is gone'));
    });
  }
  return () => {
    for (const name of names) Reflect.deleteProperty(part, name);
  };
}

const downModes: DownMode[] = ['refuse', 'reset', 'error', 'garbage'];

describe.each(downModes)('attack 72: the homeserver is down: %s', (mode) => {
  test('attack 72: no one gets in, everybody is told, and it heals by itself', async () => {
    await start();
    await app.stub.setDown(mode);
    for (const name of ['alice', 'bob']) {
      const answer = await signIn(app, name);
      expect([502, 503]).toContain(answer.status);
      expect(answer.body.errcode).toBe('M_UNKNOWN');
      expect(answer.body).not.toHaveProperty('access_token');
    }
    await app.stub.setDown(undefined);
    expect((await signIn(app, 'alice')).status).toBe(200);
    expect((await submit(app, await signIn(app, 'bob'), app.code(bob))).status).toBe(200);
  });

  test('attack 72: a hold outlives it, and a second login that fails keeps the passed factor', async () => {
    await start();
    const challenge = await signIn(app, 'bob', PASSWORD, { device_id: 'PHONE' });
    await app.stub.setDown(mode);
    const failed = await submit(app, challenge, app.code(bob));
    expect(failed.status).toBe(502);
    await app.stub.setDown(undefined);
    const answer = await ask(app, challenge);
    expect(answer.status).toBe(200);
    expect(answer.body.device_id).toBe('PHONE');
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([answer.body.access_token]);
  });

  test('attack 72: a logout that no one could hear is not taken for done', async () => {
    await start();
    await signIn(app, 'bob');
    app.clock.advance(6 * MINUTE);
    await app.stub.setDown(mode);
    await app.proxy.keepHouse();
    await app.stub.setDown(undefined);
    app.clock.advance(2 * MINUTE);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });
});

describe('attack 91: the database is gone', () => {
  test('attack 72: gated routes answer 503, for everybody, and pass-through flows', async () => {
    await start();
    const challenge = await signIn(app, 'bob');
    const heal = takeAway(app.storage.factors);
    for (const answer of [
      await signIn(app, 'alice'),
      await signIn(app, 'bob'),
      await submit(app, challenge, app.code(bob)),
      await post(app, '/_matrix/client/v3/register', { username: 'new', auth: { type: 'm.login.dummy' } }),
    ]) {
      expect(answer.status).toBe(503);
      expect(answer.body.errcode).toBe('M_UNKNOWN');
    }
    const { token } = app.stub.signIn('alice');
    const room = await app.call({ target: '/_matrix/client/v3/rooms/!r:localhost/state', token });
    expect(room.status).toBe(200);

    heal();
    app.clock.advance(MINUTE);
    expect((await submit(app, challenge, app.code(bob))).status).toBe(200);
  });

  const disk = new StoreUnavailable(new Error('the disk is full'));

  test.each<[string, () => () => void]>([
    ['sessions', () => takeAway(app.storage.sessions)],
    ['holds', () => failCommits(app, ' holds ', disk)],
    ['audit', () => failCommits(app, '"does":"enter"', disk)],
  ])(
    'attack 91: where %s cannot be kept no one gets in by password or code, and no token stays behind',
    async (_part, fail) => {
      await start();
      const challenge = await signIn(app, 'bob');
      const heal = fail();
      const withCode = await submit(app, challenge, app.code(bob));
      expect(withCode.status).toBe(503);
      heal();
      app.clock.advance(10 * MINUTE);
      await app.proxy.keepHouse();
      expect(app.stub.liveTokens('bob')).toEqual([]);
    },
  );

  test('attack 91: a token that the homeserver grants while the hold cannot be kept is revoked', async () => {
    await start();
    failToHold(app, new StoreUnavailable(new Error('gone')));
    expect((await signIn(app, 'bob')).status).toBe(503);
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });
});

test('attack 72: a homeserver that breaks off in the middle of its answer grants nothing', async () => {
  await start();
  app.stub.override(/POST .*\/login$/, (exchange) => {
    exchange.response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
    exchange.response.write('{"access_token":"stub_half');
    exchange.response.destroy();
    return 'answered by hand';
  });
  const answer = await signIn(app, 'bob');
  expect(answer.status).toBe(502);
  expect(answer.text).not.toContain('stub_half');
});

test('a client that hangs up while its login is under way leaves a hold, not a token that no one knows', async () => {
  await start();
  const hangUp = new AbortController();
  app.stub.override(/POST .*\/login$/, async (_exchange, next) => {
    hangUp.abort();
    await new Promise((resolve) => setImmediate(resolve));
    return next();
  });
  const body = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: 'bob' },
    password: PASSWORD,
  };
  const call = app.call({ target: '/_matrix/client/v3/login', json: body, signal: hangUp.signal });
  await expect(call).rejects.toThrow();
  while ((await app.storage.holds.countForUser(bob.userId)) === 0) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  app.clock.advance(6 * MINUTE);
  await app.proxy.keepHouse();
  expect(app.stub.liveTokens('bob')).toEqual([]);
});
