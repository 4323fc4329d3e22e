import { expect, test } from '@jest/globals';
import { describeGuarded, it } from './each_guarded.ts';
import {
  ADD_ADDRESS,
  ADD_ADDRESS_OF_OLD,
  BOBS_PASSWORD,
  BOTH_FLOWS,
  bobsPassword,
  challengeIn,
  codeFlows,
  DELETE_ADDRESS,
  TOTP,
  UNBIND_ADDRESS,
} from './guarded.ts';

describeGuarded(() => {
  test('attack 50: the old way to add an address has the same gate as the new one', async () => {
    for (const call of [ADD_ADDRESS, ADD_ADDRESS_OF_OLD]) {
      const first = await it.asBob(call);
      expect(challengeIn(first)).toMatchObject({ status: 401, isOurs: true, completed: [] });
      expect(codeFlows(first)).toEqual(BOTH_FLOWS);
      const oneShot = await it.asBob(call, bobsPassword());
      expect(challengeIn(oneShot)).toMatchObject({ status: 401, completed: [] });
    }
    expect(it.upstream()).toEqual([]);
    expect([...it.app.stub.user('bob').emails]).toEqual(['bob@example.org']);
  });

  test.each([ADD_ADDRESS_OF_OLD, DELETE_ADDRESS, UNBIND_ADDRESS])(
    'attack 50: $name with a right code and a wrong password does nothing',
    async (call) => {
      const answer = await it.asBob(call, bobsPassword(`wrong ${it.app.code(it.bob)}`));
      expect(challengeIn(answer)).toMatchObject({ status: 401, completed: [TOTP], errcode: 'M_FORBIDDEN' });
      expect(it.upstream()).toEqual([]);
    },
  );

  test('an address goes with code and password, once, without auth upstream', async () => {
    const auth = bobsPassword(`${BOBS_PASSWORD} ${it.app.code(it.bob)}`);
    const done = await it.asBob(DELETE_ADDRESS, auth);
    expect([done.status, done.json]).toEqual([200, { id_server_unbind_result: 'success' }]);
    expect(it.app.stub.requestsTo('threepid').map(({ json }) => json)).toEqual([DELETE_ADDRESS.body]);
    expect(it.app.stub.user('bob').emails.size).toBe(0);
  });

  test('a homeserver that asks for a proof where others do not gets it', async () => {
    it.app.stub.override('/account/3pid/delete', ({ bytes }, next) =>
      bytes.toString().includes('"auth"')
        ? next()
        : { status: 401, body: { session: 'hs', flows: [{ stages: ['m.login.password'] }] } },
    );
    const auth = bobsPassword(`${BOBS_PASSWORD} ${it.app.code(it.bob)}`);
    expect((await it.asBob(DELETE_ADDRESS, auth)).status).toBe(200);
    expect(it.app.stub.requestsTo('threepid')[1]?.json?.auth).toEqual(bobsPassword());
  });
});
