import { copyFileSync, renameSync, rmSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  type AccountApp,
  CONFIRM,
  DORAS_PASSWORD,
  dorasPassword,
  STATE,
  seedIn,
  startAccount,
  TOTP_API,
} from '../account/account.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { codeAt } from '../support/enrolment.ts';

let it: AccountApp;

beforeEach(async () => {
  it = await startAccount();
  // From the second start on the database is more than its first page.
  await it.app.shutDown();
  await it.app.start();
});

afterEach(() => it.app.stop());

const file = (suffix = '') => join(it.app.directory, `2fa.db${suffix}`);

/** Another file of the same content in the place of this one. */
function replace(path: string): void {
  copyFileSync(path, `${path}.copy`);
  renameSync(`${path}.copy`, path);
}

/** What may happen to the files under a running server. */
const LOSSES: Record<string, () => void> = {
  '-wal removed': () => rmSync(file('-wal')),
  '-wal replaced': () => replace(file('-wal')),
  '-shm removed': () => rmSync(file('-shm')),
  '-shm replaced': () => replace(file('-shm')),
  'database removed': () => rmSync(file()),
  'database replaced': () => replace(file()),
  'database cut': () => truncateSync(file(), 4096),
  'database emptied': () => truncateSync(file()),
};
const losses = Object.keys(LOSSES);

describe.each(losses)('%s', (loss) => {
  const lose = () => LOSSES[loss]?.();

  test('attack 167: gated routes and readiness are refused from the next answer on, the rest flows', async () => {
    await it.app.enrol('eve');
    lose();
    const { app } = it;
    const answers = [
      await app.post(LOGIN, passwordLogin('eve', 'eves password')),
      await app.post(LOGIN, passwordLogin('dora', DORAS_PASSWORD)),
      await app.call({ target: STATE, token: it.eve }),
      await app.post('/_matrix/client/v3/delete_devices', { devices: ['X'] }, it.eve),
      await app.call({ target: '/_2fa/ready' }),
    ];
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503]);
    expect((await app.call({ target: '/_2fa/health' })).status).toBe(200);
    const room = await app.call({ target: '/_matrix/client/v3/rooms/!r:localhost/state', token: it.dora });
    expect(room.status).toBe(200);
  });

  test('attack 167: no enrolment is confirmed that a restart would lose', async () => {
    const { app } = it;
    const setup = await it.ask('POST', TOTP_API, it.dora, { name: 'phone', auth: dorasPassword() });
    // While the confirmation is under way: it asks whose token it is.
    app.stub.override(/whoami/, (_exchange, next) => {
      lose();
      return next();
    });
    const token = codeAt(seedIn(setup.json.seed), app.clock.now());
    const confirmed = await it.ask('POST', CONFIRM, it.dora, {
      setup_id: String(setup.json.setup_id),
      token,
    });
    expect(confirmed.status).toBe(503);
    expect(confirmed.json).not.toHaveProperty('recovery_codes');
  });
});

test('attack 167: the -wal is moved away and back: the store is back, and nothing was lost', async () => {
  const { app } = it;
  await app.enrol('eve');
  renameSync(file('-wal'), file('-away'));
  expect((await app.call({ target: '/_2fa/ready' })).status).toBe(503);
  renameSync(file('-away'), file('-wal'));
  expect((await app.call({ target: '/_2fa/ready' })).status).toBe(200);
  expect((await app.post(LOGIN, passwordLogin('eve', 'eves password'))).status).toBe(401);
});

test('attack 167: without its -wal, an orderly end and a new start bring everything back', async () => {
  const { app } = it;
  await app.enrol('eve');
  rmSync(file('-wal'));
  expect((await app.post(LOGIN, passwordLogin('eve', 'eves password'))).status).toBe(503);
  await app.shutDown();
  await app.start();
  expect((await app.post(LOGIN, passwordLogin('eve', 'eves password'))).status).toBe(401);
});
