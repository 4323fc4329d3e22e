import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { TestApp } from '../support/app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import { until } from '../support/until.ts';
import { expectError, OAuthApp, tokensIn } from './oauth_app.ts';

describeOnSharedDatabases('a homeserver whose refresh tokens are good once', (start) => {
  let oauth: OAuthApp;
  let another: TestApp;

  beforeAll(async () => {
    const settings = { homeserver_refresh_tokens: true };
    oauth = await OAuthApp.start(start, { personality: 'tuwunel', settings });
    another = await oauth.app.startAnother();
  });

  beforeEach(() => {
    oauth.app.stub.clear();
  });

  const renewals = () => oauth.upstream().filter((line) => line.endsWith('/v3/refresh')).length;

  test.each([
    { status: 502, body: {} },
    { status: 429, body: { errcode: 'M_LIMIT_EXCEEDED' } },
  ])('attack 325: where it fails behind the renewal nobody is signed out: %j', async (failure) => {
    const first = await oauth.signIn();
    oauth.app.stub.failNext('/account/whoami', failure);
    expectError(await oauth.refresh(first.refresh), 503, 'temporarily_unavailable');
    const second = tokensIn(await oauth.refresh(first.refresh));
    expect(second.access).not.toBe(first.access);
    expect(oauth.app.stub.isLive(second.access)).toBe(true);
    expect(renewals()).toBe(2);
  });

  test('attack 331: where it takes long it is asked once, by two processes', async () => {
    const { refresh } = await oauth.signIn();
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const restore = oauth.app.stub.override('/v3/refresh', async (_exchange, next) => {
      await answered;
      return next();
    });
    const first = oauth.refresh(refresh);
    await until(() => renewals() > 0);
    oauth.app.clock.advance(50_000);
    const second = oauth.refresh(refresh, undefined, another);
    await new Promise((resolve) => setTimeout(resolve, 300));
    answer();
    const [one, other] = await Promise.all([first, second]);
    restore();
    tokensIn(one);
    expect(other.text).toBe(one.text);
    expect(renewals()).toBe(1);
  });
});
