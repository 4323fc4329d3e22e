import { expect, test } from '@jest/globals';
import { LOGIN } from '../support/app.ts';
import { describeGuarded, it } from './each_guarded.ts';
import { BOBS_PASSWORD, bobsPassword, challengeIn, GET_TOKEN } from './guarded.ts';

/** Only these two have the endpoint. */
describeGuarded(() => {
  async function issued(): Promise<string> {
    const auth = bobsPassword(`${BOBS_PASSWORD} ${it.app.code(it.bob)}`);
    const { json } = await it.asBob(GET_TOKEN, auth);
    return json.login_token as string;
  }

  const redeem = (token: string) => it.app.post(LOGIN, { type: 'm.login.token', token });

  test('attack 36: a token that was issued under 2FA signs one device in without another code', async () => {
    const token = await issued();
    const signedIn = await redeem(token);
    expect([signedIn.status, signedIn.json.user_id]).toEqual([200, '@bob:localhost']);
    expect((await redeem(token)).status).toBe(403);
  });

  test('attack 36: a token that we did not see issued is held for a code', async () => {
    await issued();
    const held = await redeem(it.app.stub.mintLoginToken('bob'));
    expect(held.status).toBe(401);
    expect(held.json.access_token).toBeUndefined();
    expect(challengeIn(held).isOurs).toBe(true);
  });

  test('a token is asked for again each time, with a code of its own', async () => {
    await issued();
    const again = await it.asBob(GET_TOKEN);
    expect(challengeIn(again)).toMatchObject({ status: 401, isOurs: true, completed: [] });
  });

  test('attack 36: a token issued to a user without 2FA is worth no second factor once they have it', async () => {
    it.app.stub.addUser({ name: 'dora', password: 'doras password' });
    const { token } = it.app.stub.signIn('dora');
    const auth = { type: 'm.login.password', user: 'dora', password: 'doras password' };
    const { json } = await it.app.call({ target: GET_TOKEN.target, token, json: { auth } });
    expect(typeof json.login_token).toBe('string');
    await it.app.enrol('dora');
    expect((await redeem(json.login_token as string)).status).toBe(401);
  });
}, ['synapse', 'tuwunel', 'continuwuity']);
