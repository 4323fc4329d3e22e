import { beforeAll, expect, test } from '@jest/globals';
import { DEVICE_GRANT } from '../../src/oauth/registered_client.ts';
import { createLogger } from '../../src/system/logger.ts';
import type { TestApp } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import { formsOf, Visitor } from '../support/visitor.ts';
import { registerApp, requestOf, WEB_BACK } from './asking.ts';
import { expectError, OAuthApp, PASSWORD, REVOKE, TOKEN, tokensIn } from './oauth_app.ts';

/** So many requests at once, in turn to each process. */
const AT_ONCE = 20;

describeOnSharedDatabases('OAuth apps before two processes', (start) => {
  let oauth: OAuthApp;
  let processes: readonly TestApp[];
  const lines: string[] = [];

  beforeAll(async () => {
    const log = createLogger({ level: 'debug', format: 'json' }, { write: (line) => void lines.push(line) });
    oauth = await OAuthApp.start(start, { log, settings: { homeserver_refresh_tokens: true } });
    processes = [oauth.app, await oauth.app.startAnother()];
  });

  const at = (turn: number): TestApp => processes[turn % processes.length] ?? oauth.app;
  const times = <T>(ask: (app: TestApp) => Promise<T>): Promise<T[]> =>
    Promise.all(Array.from({ length: AT_ONCE }, (_, turn) => ask(at(turn))));
  const upstream = (path: string) => oauth.upstream().filter((line) => line.endsWith(path));

  test('attack 330: a code at both at once begins one session', async () => {
    const issued = await oauth.issue();
    oauth.app.stub.clear();
    const answers = await times((app) => oauth.exchange(issued, {}, app));
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    for (const answer of answers) if (!won.includes(answer)) expectError(answer, 400, 'invalid_grant');
    expect(upstream('/login')).toHaveLength(1);
    expect(await oauth.sessions()).toHaveLength(1);
  });

  test('attack 334: a yes at both at once makes one code, and lets one device in, once', async () => {
    const { app, bob } = oauth;
    const clientId = await registerApp(app, { grant_types: ['authorization_code', DEVICE_GRANT] });
    const device = { client_id: clientId, scope: oauth.scope };
    const { json: asked } = await oauth.form('/_2fa/oauth2/device', device);
    const yeses = async () => (await oauth.events()).filter((event) => event === 'oauth.authorized').length;
    for (const isDevice of [false, true]) {
      const visitor = new Visitor(app.url);
      await visitor.open(isDevice ? '/_2fa/link' : requestOf({ client_id: clientId }));
      if (isDevice) await visitor.send({ user_code: String(asked.user_code) });
      await visitor.send({ user: 'bob', password: PASSWORD });
      app.clock.advance(30_000);
      const consent = await visitor.send({ code: app.code(bob) });
      const form = formsOf(consent.text).find(({ fields }) => 'decision' in fields);
      const fields = { ...form?.fields, decision: 'allow' };
      const before = await yeses();
      const answers = await times(({ url }) => {
        const same = new Visitor(url);
        for (const [name, value] of visitor.cookies) same.cookies.set(name, value);
        return same.postOnly(fields, {}, form?.action);
      });
      expect(await yeses()).toBe(before + 1);
      expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([303]));
      const codes = answers.filter(({ headers }) => headers.location?.startsWith(WEB_BACK));
      expect(codes).toHaveLength(isDevice ? 0 : 1);
    }
    const polls = await times((each) =>
      oauth.form(
        TOKEN,
        { grant_type: DEVICE_GRANT, device_code: String(asked.device_code), client_id: clientId },
        each,
      ),
    );
    expect(polls.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  test('attack 331: the refresh token of the homeserver is brought once, and all get the very same answer', async () => {
    const answer = await oauth.exchange(await oauth.issue());
    const first = tokensIn(answer);
    expect(answer.json.expires_in).toBe(300);
    oauth.app.clock.advance(240_000);
    oauth.app.stub.clear();
    const answers = await times((app) => oauth.refresh(first.refresh, undefined, app));
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
    expect(upstream('/refresh')).toHaveLength(1);
    const second = tokensIn(answers[0] as (typeof answers)[number]);
    expect(second.access).not.toBe(first.access);
    expect(answers[0]?.json.expires_in).toBe(300);
    expect(oauth.app.stub.isLive(second.access)).toBe(true);
    // The same session, by its new token.
    expect((await oauth.app.post('/_matrix/client/v3/logout', {}, second.access)).status).toBe(200);
    expectError(await oauth.refresh(second.refresh, undefined, at(1)), 400, 'invalid_grant');
  });

  test.each([
    [{ status: 500 }, 503, 'temporarily_unavailable'],
    [{ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } }, 503, 'temporarily_unavailable'],
    [{ status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } }, 400, 'invalid_grant'],
    [{ status: 403, body: { errcode: 'M_FORBIDDEN' } }, 400, 'invalid_grant'],
  ])('what the homeserver says of its refresh token: %j', async (failure, status, error) => {
    const { refresh } = await oauth.signIn();
    oauth.app.stub.failNext('/v3/refresh', failure);
    expectError(await oauth.refresh(refresh), status, error);
    if (status === 503) tokensIn(await oauth.refresh(refresh));
    else expectError(await oauth.refresh(refresh), status, error);
  });

  test('attack 332: no code, verifier or token is in a log, or in an address upstream', async () => {
    const issued = await oauth.issue();
    const first = tokensIn(await oauth.exchange(issued));
    const second = tokensIn(await oauth.refresh(first.refresh));
    await oauth.refresh(first.refresh, 'another_client');
    await oauth.exchange(issued, { code_verifier: 'w'.repeat(43) });
    oauth.app.stub.failNext('/v3/refresh', { status: 200, body: { access_token: '' } });
    await oauth.refresh(second.refresh);
    await oauth.app.stub.setDown('reset');
    await oauth.refresh(second.refresh);
    await oauth.form(REVOKE, { token: second.access });
    await oauth.app.stub.setDown(undefined);
    await oauth.app.proxy.keepHouse();
    expect(oauth.app.stub.isLive(second.access)).toBe(false);
    const text = lines.join('');
    expect(lines.length).toBeGreaterThan(10);
    const secrets = [
      issued.code,
      issued.verifier,
      first.access,
      first.refresh,
      second.access,
      second.refresh,
    ];
    const targets = oauth.upstream().join('\n');
    for (const secret of [...secrets, 'w'.repeat(43)]) {
      expect(text).not.toContain(secret);
      expect(targets).not.toContain(secret);
    }
  });
});
