import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startApp, type TestApp } from '../support/app.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { type SmallDisk, smallDisk } from '../support/small_disk.ts';
import { PASSWORD, signIn, submit } from './support.ts';

/** More sign-ins than what SQLite has left in its own files can take. */
const MANY = 300;

let disk: SmallDisk | undefined;
let app: TestApp;
let bob: Enrolled;

beforeEach(async () => {
  disk = smallDisk('3m');
  if (disk === undefined) return;
  const users = ['alice', 'bob'].map((name) => ({ name, password: PASSWORD }));
  app = await startApp({ users, storage: `{ type: sqlite, path: ${disk.folder}/2fa.db }` });
  bob = await app.enrol('bob');
});

afterEach(async () => {
  if (disk === undefined) return;
  await app.stop();
  disk.remove();
});

test('F-12: a disk that is full: no user gets in without a code, all else flows, and it heals by itself', async () => {
  if (disk === undefined) return;
  const challenge = await signIn(app, 'bob');
  const empty = disk.fill();

  let answer = await signIn(app, 'bob');
  for (let turn = 0; answer.status !== 503 && turn < MANY; turn += 1) {
    expect(answer.status).toBe(401);
    answer = await signIn(app, 'bob');
  }
  expect(answer).toMatchObject({ status: 503, body: { errcode: 'M_UNKNOWN' } });
  const refused = await submit(app, challenge, app.code(bob));
  expect([refused.status, refused.body.access_token]).toEqual([503, undefined]);
  expect((await app.call({ target: '/_2fa/ready' })).status).toBe(503);
  expect((await app.call({ target: '/_matrix/client/v3/publicRooms' })).status).not.toBe(503);

  empty();
  expect((await app.call({ target: '/_2fa/ready' })).status).toBe(200);
  const granted = await submit(app, await signIn(app, 'bob'), app.code(bob));
  expect(granted).toMatchObject({ status: 200, body: { access_token: expect.any(String) } });
  await app.shutDown();
  await app.start();
  const again = await submit(app, await signIn(app, 'bob'), app.code(bob));
  expect([again.status, again.body.access_token]).toEqual([401, undefined]);
});
