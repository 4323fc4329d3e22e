import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { OWN_TOKEN } from '../login/lone_person.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { describeInBrowser, openPage, startWholeBrowser, untilSo } from '../support/browser.ts';
import { LocalhostFront } from '../support/localhost_front.ts';
import { PasskeyUser, WEBAUTHN_STAGE } from '../support/passkey_user.ts';
import { offerNothingInFields, SecurityKey } from '../support/security_key.ts';

const DELETE_DEVICES = '/_matrix/client/v3/delete_devices';
const PROMPT = { name: 'Use a passkey or security key' };
const SIGN_IN = `/_2fa/login?redirectUrl=${encodeURIComponent('https://client.example.org/')}`;
describeInBrowser('pages that ask for a passkey, with one of the device', () => {
  const front = new LocalhostFront();
  let browser: Browser;
  let app: TestApp;
  let bob: PasskeyUser;
  let page: Page;
  let key: SecurityKey;

  beforeAll(async () => {
    await front.listen();
    const webauthn = front.settings.replace('}', ', passwordless: true }');
    app = await startApp({
      users: ['bob', 'dave'].map((name) => ({ name, password: `${name} password` })),
      config: `${webauthn}\npolicy: { users: { "@dave:localhost": required } }`,
      applicationServices: [{ token: OWN_TOKEN, senderLocalpart: 'two-factor', prefix: '' }],
      ownToken: OWN_TOKEN,
    });
    front.target = app.url;
    browser = await startWholeBrowser();
    page = await openPage(browser);
    await offerNothingInFields(page);
    key = await SecurityKey.plugInto(page, { transport: 'internal', hasResidentKey: true });
    bob = new PasskeyUser(app, 'bob');
    const begun = await bob.begin();
    await page.goto(`${front.url}/_2fa/help`);
    const made = await page.evaluate<JsonObject>(`(async () => {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(${JSON.stringify(begun.public_key)});
      return (await navigator.credentials.create({ publicKey })).toJSON();
    })()`);
    expect((await bob.confirm(begun, made)).status).toBe(200);
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all([front.stop(), app.stop()]);
  });

  /** The first prompt on this page is given up; the others are answered. */
  async function giveUpOnce(how: 'get' | 'create', button: string): Promise<void> {
    await page.evaluate(`{
      const own = navigator.credentials.${how}.bind(navigator.credentials);
      let times = 0;
      navigator.credentials.${how} = (options) =>
        own(times++ === 0 ? { ...options, signal: AbortSignal.abort() } : options);
    }`);
    await page.getByRole('button', { name: button }).click();
    await untilSo(page, `document.querySelector('form[data-asking]') === null`);
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.getByRole('button', { name: button }).click();
  }

  /** @param device that is to be removed: each request has a session of its own */
  async function openFallback(device: string): Promise<void> {
    const challenge = await bob.ask('POST', DELETE_DEVICES, { devices: [device] });
    const session = encodeURIComponent(String(challenge.json.session));
    await page.goto(`${front.url}/_matrix/client/v3/auth/${WEBAUTHN_STAGE}/fallback/web?session=${session}`);
  }

  test('a set-up that a sign-in owes: a prompt that is given up leaves the page, the next one makes the passkey', async () => {
    await page.goto(`${front.url}${SIGN_IN}`);
    await page.getByLabel('Username').fill('dave');
    await page.getByLabel('Password', { exact: true }).fill('dave password');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Set up a passkey or security key' }).click();
    await page.getByRole('heading', { name: 'Set up two-factor authentication' }).waitFor();
    await page.locator('form[data-new-passkey]').waitFor();
    // Enter in the field for the name asks, too: nothing is sent without a passkey.
    await page.evaluate(`{
      navigator.credentials.own = navigator.credentials.create.bind(navigator.credentials);
      navigator.credentials.create = (options) =>
        navigator.credentials.own({ ...options, signal: AbortSignal.abort() }).finally(() => {
          navigator.credentials.create = navigator.credentials.own;
          document.body.dataset.asked = '';
        });
    }`);
    await page.getByLabel('Name this device').fill('laptop');
    await page.keyboard.press('Enter');
    await page.locator('body[data-asked]').waitFor();
    expect(await page.getByLabel('Name this device').inputValue()).toBe('laptop');
    await giveUpOnce('create', 'Continue');
    await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
    await page.getByLabel('I have saved these codes').check();
    await page.getByRole('button', { name: 'Done' }).click();
    await page.getByRole('heading', { name: 'Continue to client.example.org?' }).waitFor();
    expect(await app.storage.factors.authenticators('@dave:localhost', 'webauthn')).toHaveLength(1);
  });

  test('a fallback page: a prompt that is given up leaves it, the next one is taken', async () => {
    await openFallback('ONE');
    await giveUpOnce('get', PROMPT.name);
    await page.getByText('You can close this page').waitFor();
  });

  test('a passkey that may have been copied is refused in the dialog of the account page, and its card says so', async () => {
    await page.goto(`${front.url}/_2fa/account`);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page.getByRole('heading', { name: 'Two-factor authentication is on' }).waitFor();
    const copied = page.getByText('This key may have been copied. Remove it and add it again.');
    expect(await copied.count()).toBe(0);
    await page.getByRole('button', { name: 'Create new recovery codes' }).click();
    await key.countFromTheBeginning();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', PROMPT).click();
    await dialog.getByText('This passkey or security key was not accepted.').waitFor();
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await copied.waitFor();
    await page.locator('button:focus', { hasText: 'Create new recovery codes' }).waitFor();
    await page.reload();
    await copied.waitFor();
    await page.getByRole('button', { name: 'Sign out', exact: true }).click();
    await page.getByText('You are signed out.').waitFor();
  });

  test('a passkey that may have been copied is refused on a fallback page, and by itself', async () => {
    await key.countFromTheBeginning();
    await openFallback('OTHER');
    await page.getByRole('button', PROMPT).click();
    await page
      .getByText('This passkey or security key was not accepted. Try again, or use a code.')
      .waitFor();
    expect(await bob.events()).toContain('webauthn.counter_back');

    await key.countFromTheBeginning();
    await page.goto(`${front.url}/_2fa/account`);
    await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
    await page
      .getByText('This passkey was not accepted. Try again, or sign in with your password.')
      .waitFor();
  });
});
