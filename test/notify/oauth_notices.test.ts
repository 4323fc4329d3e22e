import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { OAuthApp, PASSWORD, REVOKE, tokensIn } from '../oauth/oauth_app.ts';
import { describeOnSharedDatabases } from '../support/both_databases.ts';
import { type MailReceiver, startMailReceiver } from './receivers.ts';

const MINUTE = 60_000;

describeOnSharedDatabases('what owners are told of OAuth apps', (start) => {
  let mail: MailReceiver;
  let oauth: OAuthApp;

  beforeAll(async () => {
    mail = await startMailReceiver();
    const users = [{ name: 'bob', password: PASSWORD, emails: ['bob@example.org'] }];
    const config = `notify: { mail: { from: 2fa@example.org, port: ${mail.port} } }`;
    oauth = await OAuthApp.start(start, { users, config });
  });
  afterAll(() => mail.stop());

  /** A session whose token was used once: by it the addresses of its owner become known. */
  async function used() {
    const issued = await oauth.issue();
    const tokens = tokensIn(await oauth.exchange(issued));
    await oauth.app.call({ target: '/_matrix/client/v3/account/two-factor', token: tokens.access });
    return { issued, ...tokens };
  }

  async function told() {
    await oauth.app.proxy.sendNotices();
    return mail.mails.splice(0);
  }

  test.each([
    [
      'a code that comes again after its time',
      'An app was signed out: its sign-in code was used a second time',
      async () => {
        const { issued } = await used();
        oauth.app.clock.advance(MINUTE);
        await oauth.exchange(issued);
      },
    ],
    [
      'an old refresh token',
      'An app was signed out: someone used an old token of it',
      async () => {
        const { refresh } = await used();
        await oauth.refresh(refresh);
        oauth.app.clock.advance(2 * MINUTE);
        await oauth.refresh(refresh);
      },
    ],
    [
      'a revocation by another app',
      'An app was signed out by another app',
      async () => {
        const { access } = await used();
        await oauth.form(REVOKE, { token: access, client_id: 'another' });
      },
    ],
  ])('%s is told by mail, once, without a secret or a link', async (_, subject, happens) => {
    await told();
    await happens();
    const mails = await told();
    expect(mails.map((each) => each.header('Subject'))).toEqual([`[localhost] ${subject}`]);
    expect(mails[0]?.to).toEqual(['bob@example.org']);
    expect(mails[0]?.text).toContain('Account: @bob:localhost\r\n');
    expect(mails[0]?.text).not.toMatch(/m2for_|syt_|stub_|https?:/);
    expect(await oauth.sessions()).toEqual([]);
    await oauth.app.proxy.keepHouse();
    expect(await told()).toEqual([]);
  });

  test('a sign-in, a refresh and a repeat within their time are told to nobody', async () => {
    await told();
    const { issued, refresh } = await used();
    await oauth.exchange(issued);
    await oauth.refresh(refresh);
    await oauth.refresh(refresh);
    expect(await told()).toEqual([]);
  });
});
