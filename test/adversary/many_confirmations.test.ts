import { afterEach, expect, jest, test } from '@jest/globals';
import { RecoveryHasher } from '../../src/factors/recovery/recovery_hasher.ts';
import {
  type AccountApp,
  CONFIRM,
  dorasPassword,
  seedIn,
  startAccount,
  TOTP_API,
} from '../account/account.ts';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { codeAt } from '../support/enrolment.ts';

let it: AccountApp;

afterEach(async () => {
  jest.restoreAllMocks();
  await it.app.stop();
});

/** The users of all hashes that are made, in the order in which they are done. */
function watchHashes(): string[] {
  const done: string[] = [];
  const { hash } = RecoveryHasher.prototype;
  jest.spyOn(RecoveryHasher.prototype, 'hash').mockImplementation(async function (
    this: RecoveryHasher,
    ...args
  ) {
    const result = await hash.apply(this, args);
    done.push(args[1].userId);
    return result;
  });
  return done;
}

test('attack 140: 300 confirmations at once are ten hashes, and delay another user’s recovery code by one', async () => {
  it = await startAccount({
    users: [
      { name: 'dora', password: 'doras password' },
      { name: 'eve', password: 'eves password' },
      { name: 'bob', password: 'bobs password' },
    ],
  });
  const bob = await it.app.enrol('bob');
  const { json } = await it.ask('POST', TOTP_API, it.dora, { auth: dorasPassword() });
  const body = {
    setup_id: json.setup_id as string,
    token: codeAt(seedIn(json.seed), it.app.clock.now()),
  };
  const hashes = watchHashes();
  const flood = Array.from({ length: 300 }, () => it.app.post(CONFIRM, body, it.dora));
  const field = `bobs password ${bob.recoveryCodes[0]}`;
  const meanwhile = await it.app.post(LOGIN, passwordLogin('bob', field));
  expect(meanwhile.status).toBe(200);

  const statuses = (await Promise.all(flood)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(1);
  expect(statuses.filter((status) => status === 404 || status === 429)).toHaveLength(299);
  expect(hashes.filter((user) => user === '@dora:localhost')).toHaveLength(10);
  expect(hashes.filter((user) => user === '@bob:localhost')).toHaveLength(1);
});
