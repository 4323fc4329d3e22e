import { afterEach, expect, test } from '@jest/globals';
import {
  bobsPassword,
  DELETE_DEVICES,
  type GuardedApp,
  PERSONALITIES,
  startGuarded,
  TOTP,
} from '../guard/guarded.ts';

let guarded: GuardedApp;

afterEach(() => guarded.app.stop());

const TWO_FACTOR_STAGE = { type: TOTP, token: '123456' };

test.each(PERSONALITIES)(
  'attack 51: one of our sessions goes on after 2FA was turned off: %s sees neither it nor the code',
  async (personality) => {
    guarded = await startGuarded({ personality });
    const { app, asBob, bob } = guarded;
    const { json } = await asBob(DELETE_DEVICES);
    await app.storage.factors.removeAllFactors(bob.userId);
    app.stub.clear();
    const session = String(json.session);
    const answers = [
      await asBob(DELETE_DEVICES, { session }),
      await asBob(DELETE_DEVICES, { ...TWO_FACTOR_STAGE, session }),
      await asBob(DELETE_DEVICES, TWO_FACTOR_STAGE),
    ];
    expect(answers.map(({ status }) => status)).toEqual([401, 401, 400]);
    const sent = app.stub.requests.map(({ bytes }) => String(bytes)).join();
    expect(sent).not.toContain(session);
    expect(sent).not.toContain('123456');
    expect((await asBob(DELETE_DEVICES, bobsPassword())).status).toBe(200);
  },
);
