import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, test } from '@jest/globals';
import { MINUTE, SECOND } from '../../src/system/clock.ts';
import { passwordLogin } from '../support/app.ts';
import { codeAt } from '../support/enrolment.ts';
import { call } from '../support/http.ts';
import { CLIENT, type RealApp, type RealUser, signedIn } from '../support/real_app.ts';
import { describeOnSynapse } from './describe_on_synapse.ts';

await describeOnSynapse('kill -9, on a real Synapse', (app) => {
  test('attack 26: after a crash a held login can be finished until its time, and then is dead', async () => {
    const bob = await app().enrolledUser();
    const carol = await app().enrolledUser();
    await app().stopProxy();

    const first = await serve(app());
    const { session } = await signInWithoutCode(first.url, bob);
    await signInWithoutCode(first.url, carol);
    first.process.kill('SIGKILL');
    await once(first.process, 'exit');
    const [leftAlone = ''] = app().heldTokens(carol.userId);
    expect(await app().whoami(leftAlone)).toBe(200);

    const second = await serve(app());
    // The clock of a process of its own cannot be moved: the next step's code is within the window already.
    const auth = { type: 'm.login.2fa.totp', session, token: codeAt(bob.seed, Date.now(), 1) };
    const finished = await call(second.url, { target: `${CLIENT}/login`, json: { auth } });
    expect(await app().whoami(signedIn(finished).token)).toBe(200);
    second.process.kill('SIGTERM');
    expect(await once(second.process, 'exit')).toEqual([0, null]);

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

/** `serve` as an operator starts it: a process of its own. */
async function serve(app: RealApp): Promise<{ process: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [
    '--import',
    'tsx',
    'src/cli/main.ts',
    'serve',
    '--config',
    app.configFile,
  ]);
  const [said] = await once(child.stdout, 'data');
  const [url] = /http:\/\/[^ ]+/.exec(String(said)) ?? [''];
  return { process: child, url };
}
