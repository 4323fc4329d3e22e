import { beforeEach, expect, test } from '@jest/globals';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { beforeCall, beforeCommit, loginsOf, PASSWORD, post, STEP, signIn, submit } from './support.ts';

describeOnBothDatabases('what a user owes changes while they sign in', (start) => {
  let app: TestApp;
  let bob: Enrolled;

  beforeEach(async () => {
    app = await start({ users: [{ name: 'bob', password: PASSWORD }] });
    bob = await app.enrol('bob');
    app.clock.advance(STEP);
  });

  const changes: Readonly<Record<string, () => Promise<unknown>>> = {
    'an authenticator more': () => app.enrol('bob'),
    'new recovery codes, another password or logout/all': () => app.storage.factors.endProofs(bob.userId),
    'an operator’s reset': () => app.storage.factors.removeAllFactors(bob.userId),
  };
  const each = test.each(Object.keys(changes));

  each('attack 183: %s before the login is kept: nothing is kept, and the login ends', async (what) => {
    beforeCommit(app, 'INSERT INTO holds', async () => changes[what]?.());
    const answer = await signIn(app, 'bob');
    expect(answer.status).toBe(403);
    expect(answer.body).not.toHaveProperty('session');
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });

  each('attack 183: %s before the login is taken: the code gives no token', async (what) => {
    const challenge = await signIn(app, 'bob');
    beforeCommit(app, 'DELETE FROM holds WHERE id = :', async () => changes[what]?.());
    const answer = await submit(app, challenge, app.code(bob));
    expect(answer.status).not.toBe(200);
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });

  each('attack 183: %s before a code that came with the password is accepted: no token', async (what) => {
    beforeCommit(app, 'AS admitted', async () => changes[what]?.());
    const answer = await signIn(app, 'bob', `${PASSWORD} ${app.code(bob)}`);
    expect(answer.status).toBe(403);
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });

  test.each(Object.keys(changes).slice(0, 2))(
    'attack 183: %s before a session is opened on a login that is joined: it proves nothing',
    async (what) => {
      await signIn(app, 'bob');
      beforeCall(app.storage.sessions, 'open', async () => changes[what]?.());
      const challenge = await signIn(app, 'bob');
      expect(challenge.status).toBe(401);
      const logins = loginsOf(app).length;
      app.clock.advance(STEP);
      expect((await submit(app, challenge, app.code(bob))).status).toBe(401);
      expect(loginsOf(app)).toHaveLength(logins);
    },
  );

  test.each(Object.keys(changes).slice(0, 2))(
    'attack 183: %s before a login token that was issued is on record: it needs a code',
    async (what) => {
      const { token } = app.stub.signIn('bob');
      beforeCommit(app, 'INSERT INTO passed_login_tokens', async () => changes[what]?.());
      const { status, json } = await app.post(
        '/_matrix/client/v1/login/get_token',
        { auth: passwordLogin('bob', `${PASSWORD} ${app.code(bob)}`) },
        token,
      );
      expect(status).toBe(200);
      const answer = await post(app, LOGIN, { type: 'm.login.token', token: json.login_token ?? '' });
      expect(answer.status).toBe(401);
      expect(answer.body).not.toHaveProperty('access_token');
    },
  );
});
