import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { seedIn } from '../account/account.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { ClientPage } from '../support/client_page.ts';
import { codeAt } from '../support/enrolment.ts';
import { ENTER, Firefox, hasFirefox } from '../support/firefox.ts';

const PASSWORD = 'correct horse battery staple';
(hasFirefox('the pages in Firefox') ? describe : describe.skip)('the pages in Firefox', () => {
  let firefox: Firefox;
  let app: TestApp;
  let client: ClientPage;

  beforeAll(async () => {
    app = await startApp({
      users: ['alice', 'bob'].map((name) => ({ name, password: PASSWORD })),
    });
    client = await ClientPage.serve(app.url);
    firefox = await Firefox.start();
  });
  afterAll(async () => {
    await firefox.stop();
    await client.stop();
    await app.stop();
  });

  test('sign-in page: password, code, confirmation, and back to the client', async () => {
    const bob = await app.enrol('bob');
    app.clock.advance(30_000);
    await firefox.open(`${app.url}/_2fa/login?redirectUrl=${encodeURIComponent(client.url)}`);
    await firefox.type('input[name="user"]', 'bob');
    await firefox.type('input[name="password"]', `${PASSWORD}${ENTER}`);
    await firefox.shows('Two-factor authentication');
    await firefox.type('input[name="code"]', `${app.code(bob)}${ENTER}`);
    await firefox.shows('Continue only if you started this sign-in there.');
    // Half a second in which no key and no click confirms.
    await firefox.read(
      `new Promise((resolve) => { const wait = () => document.readyState !== 'complete' || document.querySelector('button:disabled') ? setTimeout(wait, 50) : resolve(); wait(); })`,
    );
    await firefox.press('Continue');
    await firefox.shows('Sign in elsewhere');
    await firefox.shows('@bob:localhost');
    expect(await firefox.read('location.origin')).toBe(new URL(client.url).origin);
  });

  test('account page: signed in, an app is set up', async () => {
    await firefox.open(`${app.url}/_2fa/account`);
    await firefox.type('input[name="user"]', 'alice');
    await firefox.type('input[name="password"]', `${PASSWORD}${ENTER}`);
    await firefox.shows('Two-factor authentication is off');
    await firefox.press('Turn on two-factor authentication');
    await firefox.type('dialog input[name="password"]', `${PASSWORD}${ENTER}`);
    await firefox.shows('Scan the QR code');
    const link = await firefox.read(`document.querySelector('a[href^="otpauth:"]').href`);
    const seed = seedIn(new URL(link).searchParams.get('secret') ?? '');
    await firefox.press('Continue');
    await firefox.type('input[name="code"]', `${codeAt(seed, app.clock.now())}${ENTER}`);
    await firefox.shows('Save your recovery codes');
    expect(await firefox.read(`document.querySelectorAll('.codes li').length`)).toBe('10');
  });
});
