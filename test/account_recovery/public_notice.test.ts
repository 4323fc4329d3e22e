import { beforeEach, expect, test } from '@jest/globals';
import { PUBLIC_FIELD } from '../../src/account_recovery/public_notice.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { operate } from '../support/operate.ts';
import { BOB, begin, DAY, GROUNDS, HOUR, PASSWORD, running, startRecovering, wait } from './recovering.ts';

const OWN = 'as_token_of_the_proxy_itself';
const asService = {
  applicationServices: [{ token: OWN, senderLocalpart: 'two-factor', prefix: '' }],
  ownToken: OWN,
  users: [{ name: 'bob', password: PASSWORD }],
};

describeOnBothDatabases('the public notice of a recovery', (start) => {
  let app: TestApp;
  let shown: JsonObject | undefined;
  let changes: string[];

  async function recovering(isPublic = true): Promise<void> {
    ({ app } = await startRecovering(start, `{ enabled: true, public_notice: ${isPublic} }`, asService));
    shown = undefined;
    changes = [];
    app.stub.override(
      /\/v3\/profile\/%40bob%3Alocalhost\/org\.matrix\.2fa\.recovery\?user_id=%40bob/,
      (request) => {
        const { method, bytes } = request;
        expect(request.headers.authorization).toBe(`Bearer ${OWN}`);
        if (method === 'GET')
          return shown === undefined
            ? { status: 404, body: { errcode: 'M_NOT_FOUND' } }
            : { status: 200, body: { [PUBLIC_FIELD]: shown } };
        changes.push(method);
        shown = method === 'PUT' ? JSON.parse(bytes.toString())[PUBLIC_FIELD] : undefined;
        return { status: 200, body: {} };
      },
    );
  }

  beforeEach(() => recovering());

  test('stands in the profile while it runs and for 90 days after its end, and goes then', async () => {
    await wait(app, HOUR);
    expect(changes).toEqual([]);
    await begin(app);
    const { begunAt } = await running(app);
    await wait(app, HOUR);
    expect(shown).toEqual({ state: 'waiting', begun_ts: begunAt });
    await wait(app, HOUR);
    expect(changes).toEqual(['PUT']);
    expect((await operate(app, 'recovery', 'deny', BOB, ...GROUNDS)).code).toBe(0);
    await wait(app, HOUR);
    expect(shown).toMatchObject({ state: 'cancelled', begun_ts: begunAt, ended_ts: expect.any(Number) });
    await wait(app, 89 * DAY);
    expect(changes).toEqual(['PUT', 'PUT']);
    await wait(app, DAY);
    expect(shown).toBeUndefined();
    await wait(app, DAY);
    expect(changes).toEqual(['PUT', 'PUT', 'DELETE']);
  });

  test('attack 339: who is in the account takes it out → within the hour it is back; a new request says so, too', async () => {
    await begin(app);
    await wait(app, HOUR);
    shown = undefined;
    await wait(app, HOUR);
    expect(shown).toMatchObject({ state: 'waiting' });
    await operate(app, 'recovery', 'deny', BOB, ...GROUNDS);
    await wait(app, HOUR);
    await begin(app);
    await wait(app, HOUR);
    const { begunAt } = await running(app);
    expect(shown).toEqual({ state: 'waiting', begun_ts: begunAt });
  });

  test('a homeserver that does not take it keeps nothing waiting', async () => {
    app.stub.override(/\/v3\/profile\//, () => ({ status: 403, body: { errcode: 'M_FORBIDDEN' } }));
    await begin(app);
    for (let hours = 0; hours < 73; hours += 24) await wait(app, 24 * HOUR);
    expect((await running(app)).state).toBe('open');
    expect(changes).toEqual([]);
  });

  test('is not there unless it is set', async () => {
    await recovering(false);
    await begin(app);
    await wait(app, HOUR);
    expect(changes).toEqual([]);
    expect(shown).toBeUndefined();
  });
});
