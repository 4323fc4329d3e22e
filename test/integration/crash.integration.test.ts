import { expect, test } from '@jest/globals';
import { MINUTE, SECOND } from '../../src/system/clock.ts';
import { passwordLogin } from '../support/app.ts';
import { codeNow } from '../support/enrolment.ts';
import { call } from '../support/http.ts';
import { CLIENT, type RealUser, signedIn } from '../support/real_app.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { describeOnSynapse } from './describe_on_synapse.ts';

await describeOnSynapse('kill -9, on a real Synapse', (app) => {
  test('attack 26: after a crash a held login can be finished until its time, and then is dead', async () => {
    const bob = await app().enrolledUser();
    const carol = await app().enrolledUser();
    await app().stopProxy();

    const first = await ServeProcess.start(app().configFile);
    const { session } = await signInWithoutCode(first.url, bob);
    await signInWithoutCode(first.url, carol);
    await first.kill();
    const [leftAlone = ''] = app().heldTokens(carol.userId);
    expect(await app().whoami(leftAlone)).toBe(200);

    const second = await ServeProcess.start(app().configFile);
    // The clock of a process of its own cannot be moved: the next step's code is within the window already.
    const auth = { type: 'm.login.2fa.totp', session, token: codeNow(bob.seed, 1) };
    const finished = await call(second.url, { target: `${CLIENT}/login`, json: { auth } });
    expect(await app().whoami(signedIn(finished).token)).toBe(200);
    await second.stop();

    app().clock.advance(Date.now() - app().clock.now() + 5 * MINUTE + SECOND);
    await app().startProxy();
    await app().proxy.keepHouse();
    expect(await app().whoami(leftAlone)).toBe(401);
    expect(await app().whoami(signedIn(finished).token)).toBe(200);
  });
});

async function signInWithoutCode(url: string, user: RealUser): Promise<{ session: string }> {
  const json = passwordLogin(user.name, user.password);
  const answer = await call(url, { target: `${CLIENT}/login`, json });
  expect(answer.status).toBe(401);
  return { session: String(answer.json.session) };
}
