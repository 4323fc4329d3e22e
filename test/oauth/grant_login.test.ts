import { beforeAll, beforeEach, expect, test } from '@jest/globals';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import type { HttpCall } from '../support/http.ts';
import { requestsOver } from '../support/services.ts';
import { until } from '../support/until.ts';
import { BOB, DEVICE, expectError, OAuthApp, tokensIn } from './oauth_app.ts';

/** Of our registration: it opens every account. */
const TOKEN = 'as_token_of_the_proxy_itself';
const SERVICE = 'm.login.application_service';

describeOnSharedDatabases('the login of a grant, by our registration', (start) => {
  let oauth: OAuthApp;

  beforeAll(async () => {
    const applicationServices = [{ token: TOKEN, senderLocalpart: 'two-factor', prefix: '' }];
    oauth = await OAuthApp.start(start, { applicationServices, ownToken: TOKEN });
  });

  beforeEach(() => {
    oauth.app.stub.clear();
  });

  const bodies = () => oauth.app.stub.requestsTo('login').map(({ json }) => json);

  test('no password goes to the homeserver, and none has to be there', async () => {
    tokensIn(await oauth.exchange(await oauth.issue({ login: { password: undefined } })));
    tokensIn(await oauth.exchange(await oauth.issue()));
    const login = {
      ...{ type: SERVICE, identifier: { type: 'm.id.user', user: BOB } },
      ...{ device_id: DEVICE, initial_device_display_name: 'Element' },
    };
    expect(bodies()).toEqual([login, login]);
    expect(await oauth.events()).toContain('appservice.own_login');
  });

  test('a homeserver that does not take it any more gets the password, and without one nothing can be done', async () => {
    const refused = { status: 401, body: { errcode: 'M_UNKNOWN_TOKEN' } };
    oauth.app.stub.failNext('/v3/login', refused);
    tokensIn(await oauth.exchange(await oauth.issue()));
    expect(bodies().map((body) => body?.type)).toEqual([SERVICE, 'm.login.password']);
    oauth.app.stub.failNext('/v3/login', refused);
    const issued = await oauth.issue({ login: { password: undefined } });
    expectError(await oauth.exchange(issued), 502, 'server_error');
  });

  test('a limit of the homeserver is waited out, or told', async () => {
    const limited = (ms: number) => ({
      ...{ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: ms } },
    });
    oauth.app.stub.failNext('/v3/login', limited(20));
    const issued = await oauth.issue();
    tokensIn(await oauth.exchange(issued));
    oauth.app.stub.failNext('/v3/login', limited(10_001));
    const other = await oauth.issue();
    expectError(await oauth.exchange(other), 503, 'temporarily_unavailable');
    tokensIn(await oauth.exchange(other));
  });

  test('a limit that names no time to speak of is not asked again without end', async () => {
    const restore = oauth.app.stub.override('/v3/login', () => ({
      ...{ status: 429, body: { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 0 } },
    }));
    const issued = await oauth.issue();
    expectError(await oauth.exchange(issued), 503, 'temporarily_unavailable');
    expect(bodies().length).toBeLessThan(10);
    restore();
    tokensIn(await oauth.exchange(issued));
  });

  test('an app that hangs up while a limit is waited out has no login made', async () => {
    const limited = { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 2000 };
    oauth.app.stub.failNext('/v3/login', { status: 429, body: limited });
    const issued = await oauth.issue();
    const hungUp = new AbortController();
    const leaving = {
      call: (asked: HttpCall) => oauth.app.call({ ...asked, signal: hungUp.signal }),
    };
    const asked = oauth.exchange(issued, {}, leaving);
    await until(() => bodies().length > 0);
    hungUp.abort();
    await asked.catch(() => undefined);
    await requestsOver(oauth.app);
    expect(bodies()).toHaveLength(1);
    tokensIn(await oauth.exchange(issued));
  });
});
