import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, CDPSession, Page } from 'playwright-core';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { OWN_TOKEN } from '../login/lone_person.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { describeInBrowser, openPage, press, startWholeBrowser, untilSo } from '../support/browser.ts';
import { ClientPage } from '../support/client_page.ts';
import { LocalhostFront } from '../support/localhost_front.ts';
import { lookAt } from '../support/look_at.ts';
import { PasskeyUser, WEBAUTHN_STAGE } from '../support/passkey_user.ts';
import { offerNothingInFields, SecurityKey } from '../support/security_key.ts';
import { AccountPerson } from './account_person.ts';

const DELETE_DEVICES = '/_matrix/client/v3/delete_devices';
const PROMPT = { name: 'Use a passkey or security key' };
describeInBrowser('passkeys on the pages, with an authenticator of Chromium', () => {
  const front = new LocalhostFront();
  let browser: Browser;
  let app: TestApp;
  let client: ClientPage;
  let bob: PasskeyUser;
  let page: Page;
  let cdp: CDPSession;
  let authenticatorId: string;

  beforeAll(async () => {
    await front.listen();
    app = await startApp({
      users: ['bob', 'carol'].map((name) => ({ name, password: `${name} password` })),
      config: front.settings.replace('}', ', passwordless: true }'),
      applicationServices: [{ token: OWN_TOKEN, senderLocalpart: 'two-factor', prefix: '' }],
      ownToken: OWN_TOKEN,
    });
    front.target = app.url;
    client = await ClientPage.serve(front.url);
    browser = await startWholeBrowser();
    page = await openPage(browser);
    await offerNothingInFields(page);
    cdp = await page.context().newCDPSession(page);
    await cdp.send('WebAuthn.enable');
    const options = { protocol: 'ctap2', transport: 'usb', hasUserVerification: true } as const;
    ({ authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
      options: { ...options, isUserVerified: true, automaticPresenceSimulation: true },
    }));
    bob = new PasskeyUser(app, 'bob');
    const begun = await bob.begin({ name: 'key' });
    await page.goto(`${front.url}/_2fa/help`);
    const made = await page.evaluate<unknown>(`(async () => {
      const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(${JSON.stringify(begun.public_key)});
      return (await navigator.credentials.create({ publicKey })).toJSON();
    })()`);
    const credential = made as JsonObject;
    expect((await bob.confirm(begun, credential)).status).toBe(200);
  });
  afterAll(async () => {
    await browser.close();
    await Promise.all([client.stop(), front.stop(), app.stop()]);
  });

  async function upToTheKey(at = page): Promise<void> {
    await at.goto(`${front.url}/_2fa/login?redirectUrl=${encodeURIComponent(client.url)}`);
    await at.getByLabel('Username').fill('bob');
    await at.getByLabel('Password', { exact: true }).fill('bob password');
    await at.keyboard.press('Enter');
    await at.getByRole('heading', { name: 'Two-factor authentication' }).waitFor();
  }

  test('the sign-in page: the key is asked for by a button, and leads on', async () => {
    await upToTheKey();
    expect(await page.getByText('Passkeys do not work in this window').isVisible()).toBe(false);
    await lookAt(page, 'passkey-1-sign-in');
    await page.getByRole('button', PROMPT).click();
    await page.getByRole('heading', { name: 'Continue to ' }).waitFor();
  });

  test('a prompt that is given up leaves everything usable', async () => {
    await upToTheKey();
    await page.evaluate(`{
      const own = navigator.credentials.get.bind(navigator.credentials);
      navigator.credentials.get = (options) => own({ ...options, signal: AbortSignal.abort() });
    }`);
    await page.getByRole('button', PROMPT).click();
    await untilSo(page, `document.querySelector('form[data-asking]') === null`);
    expect(await page.getByRole('alert').count()).toBe(0);
    await page.getByLabel('Recovery code').waitFor();
    await upToTheKey();
    await page.getByRole('button', PROMPT).click();
    await page.getByRole('heading', { name: 'Continue to ' }).waitFor();
  });

  test('a key that may have been copied is refused, and the page says what is left', async () => {
    await upToTheKey();
    const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId });
    const [own] = credentials;
    if (own === undefined) throw new Error('the authenticator has no credential');
    await cdp.send('WebAuthn.clearCredentials', { authenticatorId });
    await cdp.send('WebAuthn.addCredential', { authenticatorId, credential: { ...own, signCount: 0 } });
    await page.getByRole('button', PROMPT).click();
    await page
      .getByText('This passkey or security key was not accepted. Try again, or use a code.')
      .waitFor();
    await lookAt(page, 'passkey-2-refused');
    expect(await bob.events()).toContain('webauthn.counter_back');
    await cdp.send('WebAuthn.clearCredentials', { authenticatorId });
    await cdp.send('WebAuthn.addCredential', {
      authenticatorId,
      credential: { ...own, signCount: own.signCount + 10 },
    });
    await page.getByRole('button', PROMPT).click();
    await page.getByRole('heading', { name: 'Continue to ' }).waitFor();
  });

  test('the fallback page: the key is asked for, and all is done', async () => {
    const challenge = await bob.ask('POST', DELETE_DEVICES, { devices: ['X'] });
    const session = encodeURIComponent(String(challenge.json.session));
    await page.goto(`${front.url}/_matrix/client/v3/auth/${WEBAUTHN_STAGE}/fallback/web?session=${session}`);
    await page.getByRole('button', PROMPT).click();
    await page.getByText('You can close this page').waitFor();
  });

  describe('the account page', () => {
    beforeAll(async () => {
      await page.goto(`${front.url}/_2fa/account`);
      await page.getByLabel('Username').fill('bob');
      await page.getByLabel('Password', { exact: true }).fill('bob password');
      await page.keyboard.press('Enter');
      await page.getByRole('button', PROMPT).click();
      await page.getByRole('heading', { name: 'Two-factor authentication is on' }).waitFor();
    });

    const passkeys = () => page.getByRole('region', { name: 'Authenticators' });

    test('lists passkeys, with the one that may have been copied, and renames them', async () => {
      await passkeys()
        .getByText(/^Passkey or security key · Added /)
        .waitFor();
      await passkeys().getByText('This key may have been copied. Remove it and add it again.').waitFor();
      await lookAt(page, 'passkey-4-account');
      await page.getByRole('button', { name: 'Rename “key”' }).click();
      await page.getByRole('dialog').getByLabel('Name this device').fill('blue key');
      await page.keyboard.press('Enter');
      await page.getByText('Authenticator renamed.').waitFor();
      await passkeys().getByText('blue key', { exact: true }).waitFor();
      await page.getByText('Passkey renamed to “blue key”').waitFor();
    });

    test('says of a passkey that it is backed up, or of no use', async () => {
      await page.route('**/v3/account/two-factor', async (route) => {
        const answer = await route.fetch();
        const text = await answer.text();
        const body = text
          .replace('"backed_up":false', '"backed_up":true')
          .replace('"usable":true', '"usable":false');
        await route.fulfill({ response: answer, body });
      });
      await page.reload();
      await passkeys().getByText('Backed up: it is not lost with one device.').waitFor();
      await passkeys().getByText('It does not work on this server any more.').waitFor();
      await page.unrouteAll();
    });
  });

  describe('the dialog of the account page that asks for a proof', () => {
    const dialog = () => page.getByRole('dialog');
    const proceed = () => dialog().getByRole('button', { name: 'Continue' }).click();
    const codesOnPage = () => page.getByRole('heading', { name: 'Save your recovery codes' });

    let codes: string[] = [];

    beforeEach(async () => {
      await page.reload();
      await page.getByRole('button', { name: 'Create new recovery codes' }).click();
    });

    test('asks for the key, which need not be given again after a wrong password', async () => {
      await dialog().getByLabel('Password').fill('wrong');
      await lookAt(page, 'passkey-5-proof');
      await proceed();
      await dialog().getByText('Your passkey or security key was accepted.').waitFor();
      await dialog().getByText('Incorrect password.').waitFor();
      await dialog().getByLabel('Password').fill('bob password');
      await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: false });
      await proceed();
      await codesOnPage().waitFor();
      await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: true });
    });

    test('a key that was accepted counts when the dialog is opened once more', async () => {
      const askForTheKey = async () => {
        await dialog().getByRole('button', PROMPT).click();
        await dialog().getByText('Your passkey or security key was accepted.').waitFor();
      };
      await askForTheKey();
      await page.keyboard.press('Escape');
      await dialog().waitFor({ state: 'detached' });
      await page.getByRole('button', { name: 'Create new recovery codes' }).click();
      await askForTheKey();
      await dialog().getByLabel('Password').fill('bob password');
      await proceed();
      await codesOnPage().waitFor();
      const shown = page.getByRole('list', { name: 'Recovery codes' }).getByRole('listitem');
      codes = await shown.allTextContents();
    });

    test('takes a recovery code in its place', async () => {
      await dialog().getByText('Use a recovery code instead').click();
      await dialog()
        .getByLabel('Recovery code')
        .fill(codes[0] ?? '');
      await dialog().getByLabel('Password').fill('bob password');
      await proceed();
      await codesOnPage().waitFor();
    });

    test('stays as it is when the prompt is given up', async () => {
      await page.evaluate(`{
        const own = navigator.credentials.get.bind(navigator.credentials);
        let times = 0;
        navigator.credentials.get = (options) =>
          own(times++ === 0 ? { ...options, signal: AbortSignal.abort() } : options);
      }`);
      await dialog().getByLabel('Password').fill('bob password');
      await proceed();
      await untilSo(page, `document.querySelector('dialog form[aria-busy]') === null`);
      expect(await dialog().getByRole('alert').count()).toBe(0);
      await proceed();
      await codesOnPage().waitFor();
    });

    test('attack 380: is asked for the key once, by a button that is pressed twice', async () => {
      let given = 0;
      page.on('request', (request) => {
        if (request.postData()?.includes(WEBAUTHN_STAGE)) given += 1;
      });
      await dialog().getByRole('button', PROMPT).dblclick();
      await dialog().getByText('Your passkey or security key was accepted.').waitFor();
      await dialog().getByLabel('Password').fill('bob password');
      await proceed();
      await codesOnPage().waitFor();
      expect(given).toBe(1);
    });

    test('says that a key was not accepted', async () => {
      await page.route('**/two-factor/recovery', async (route) => {
        const body = route.request().postDataJSON() as { auth?: JsonObject };
        if (body.auth?.type !== WEBAUTHN_STAGE) return route.continue();
        const credential = body.auth.credential as { response: JsonObject };
        const response = { ...credential.response, signature: 'AAAA' };
        const auth = { ...body.auth, credential: { ...credential, response } };
        return route.continue({ postData: JSON.stringify({ ...body, auth }) });
      });
      await dialog().getByRole('button', PROMPT).click();
      await dialog().getByText('This passkey or security key was not accepted.').waitFor();
      await page.unrouteAll();
      await dialog().getByRole('button', PROMPT).click();
      await dialog().getByText('Your passkey or security key was accepted.').waitFor();
      await dialog().getByLabel('Password').fill('bob password');
      await proceed();
      await codesOnPage().waitFor();
    });
  });

  describe('where the browser cannot be asked', () => {
    let other: Page;

    beforeAll(async () => {
      other = await page.context().newPage();
      await other.addInitScript('delete globalThis.PublicKeyCredential');
    });
    afterAll(() => other.close());

    test('there is no dead button, but a sentence and the field for codes', async () => {
      await upToTheKey(other);
      await other.getByText('Passkeys do not work in this window').waitFor();
      expect(await other.getByRole('button', PROMPT).count()).toBe(0);
      await other.getByLabel('Recovery code').waitFor();
      await lookAt(other, 'passkey-3-unsupported');
    });

    test('nor is there one on the account page', async () => {
      await other.goto(`${front.url}/_2fa/account`);
      await other.getByRole('button', { name: 'Add an authenticator' }).click();
      await other.getByText('Passkeys cannot be added in this window.').waitFor();
      expect(await other.getByRole('radio').count()).toBe(0);
      await other.keyboard.press('Escape');
      await other.getByRole('button', { name: 'Create new recovery codes' }).click();
      await other.getByText('Passkeys do not work in this window').waitFor();
      expect(await other.getByRole('button', PROMPT).count()).toBe(0);
      await other.getByRole('dialog').getByRole('textbox', { name: 'Recovery code' }).waitFor();
    });
  });

  describe('a passkey is set up on the account page', () => {
    const dialog = () => page.getByRole('dialog');

    /** Up to the card from which the browser asks. */
    async function upToTheBrowser(): Promise<void> {
      await page.reload();
      await page.getByRole('button', { name: 'Add an authenticator' }).click();
      await dialog().getByLabel('Passkey or security key').check();
      await dialog().getByLabel('Password').fill('bob password');
      await dialog().getByRole('button', { name: 'Continue' }).click();
      await page.getByRole('heading', { name: 'Passkey or security key' }).waitFor();
    }

    test('the same key again is told; a prompt that is given up leaves the page', async () => {
      await upToTheBrowser();
      await lookAt(page, 'passkey-6-set-up');
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByText('Your account has this passkey or security key already.').waitFor();
      await page.evaluate(`{
        const own = navigator.credentials.create.bind(navigator.credentials);
        navigator.credentials.create = (options) => own({ ...options, signal: AbortSignal.abort() });
      }`);
      await page.getByRole('button', { name: 'Continue' }).click();
      await untilSo(page, `document.querySelector('form[aria-busy]') === null`);
      expect(await page.getByText('Your account has this passkey').isVisible()).toBe(false);
      await page.getByRole('button', { name: 'Cancel' }).click();
      await page.getByRole('heading', { name: 'Two-factor authentication is on' }).waitFor();
    });

    test('a second key is added, keeps the codes, signs in, and is removed with the first', async () => {
      await upToTheBrowser();
      const { authenticatorId: second } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
        options: {
          ...{ protocol: 'ctap2', transport: 'internal', hasUserVerification: true, hasResidentKey: true },
          ...{ isUserVerified: true, automaticPresenceSimulation: true },
        },
      });
      await page.getByText('Your saved recovery codes stay valid.').waitFor();
      // The first one would say that the account has it.
      await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: false });
      await page.getByRole('button', { name: 'Continue' }).click();
      await page.getByText('Authenticator added.').waitFor();
      await cdp.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled: true });
      await page.getByText('Passkey “Passkey” added').waitFor();
      await page.getByLabel('More actions for blue key').click();
      await page.getByRole('button', { name: 'Remove “blue key”' }).click();
      await dialog().getByText('“blue key” will stop working.').waitFor();
      await dialog().getByLabel('Password').fill('bob password');
      await dialog().getByRole('button', { name: 'Remove' }).click();
      await page.getByText('Authenticator removed.').waitFor();
      await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
      await upToTheKey();
      await page.getByRole('button', PROMPT).click();
      await page.getByRole('heading', { name: 'Continue to ' }).waitFor();
      await page.goto(`${front.url}/_2fa/account`);
      authenticatorId = second;
    });

    test('the last one is replaced by an app', async () => {
      await page.getByRole('button', { name: 'Replace “Passkey”' }).click();
      expect(await dialog().getByLabel('Passkey or security key').isChecked()).toBe(true);
      await dialog().getByLabel('Authenticator app').check();
      await lookAt(page, 'passkey-7-choice');
      await dialog().getByLabel('Password').fill('bob password');
      await dialog().getByRole('button', { name: 'Continue' }).click();
      const person = new AccountPerson(page, app.clock, 'bob', 'bob password');
      await person.setUpApp();
      await page.getByText('Authenticator replaced.').waitFor();
      expect(await passkeysListed()).toBe(0);
    });

    const passkeysListed = () => page.getByText(/^Passkey or security key · Added /).count();
  });

  describe('a passkey alone', () => {
    const alone = () => page.getByRole('button', { name: 'Sign in with a passkey' });
    let resident: string;

    beforeAll(async () => {
      // There is one at a time that is a part of the device.
      await cdp.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId });
      const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true } as const;
      const verified = { hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
      ({ authenticatorId: resident } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
        options: { ...options, ...verified },
      }));
      const carol = new PasskeyUser(app, 'carol');
      const begun = await carol.begin({ name: 'phone' });
      await page.goto(`${front.url}/_2fa/help`);
      const made = await page.evaluate<unknown>(`(async () => {
        const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(${JSON.stringify(begun.public_key)});
        return (await navigator.credentials.create({ publicKey })).toJSON();
      })()`);
      expect((await carol.confirm(begun, made as JsonObject)).status).toBe(200);
    });
    test('signs in to a client, without a name or a password', async () => {
      await page.goto(client.url);
      await page.getByRole('button', { name: 'Sign in', exact: true }).click();
      await alone().waitFor();
      await lookAt(page, 'passkey-8-alone');
      await alone().click();
      await page.getByText('You are signed in as @carol:localhost.').waitFor();
      await press(page, 'Continue');
      await page.getByText('in the client as @carol:localhost').waitFor();
    });

    test('what the browser offers in the field for the name signs in, unless the button was pressed', async () => {
      const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId: resident });
      const address = `${front.url}/_2fa/login?redirectUrl=${encodeURIComponent(client.url)}`;
      const other = await page.context().newPage();
      const key = await SecurityKey.plugInto(other, { transport: 'internal', hasResidentKey: true });
      await other.addInitScript(`{
        const own = navigator.credentials.get.bind(navigator.credentials);
        navigator.credentials.get = (options) => {
          const answer = own(options);
          globalThis.hasAsked = true;
          return answer;
        };
      }`);
      await other.goto(address);
      expect(await other.getByLabel('Username').getAttribute('autocomplete')).toBe('username webauthn');
      // The question in the field has found no passkey, and stands there.
      await untilSo(other, 'globalThis.hasAsked === true');
      await key.learn(credentials);
      await other.getByRole('button', { name: 'Sign in with a passkey' }).click();
      await other.getByText('You are signed in as @carol:localhost.').waitFor();
      await other.goto(address);
      await other.getByText('You are signed in as @carol:localhost.').waitFor();
      await other.close();
    });

    test('a key that cannot verify its user is not asked: nobody is signed in by its touch alone', async () => {
      const { credentials } = await cdp.send('WebAuthn.getCredentials', { authenticatorId: resident });
      const other = await page.context().newPage();
      await offerNothingInFields(other);
      const key = await SecurityKey.plugInto(other, { hasResidentKey: true, hasUserVerification: false });
      await key.learn(credentials);
      await other.goto(`${front.url}/_2fa/login?redirectUrl=${encodeURIComponent(client.url)}`);
      await other.getByRole('button', { name: 'Sign in with a passkey' }).click();
      await untilSo(other, `document.querySelector('form[data-asking]') === null`);
      expect(await other.getByRole('alert').count()).toBe(0);
      await other.getByLabel('Username').fill('carol');
      await other.close();
    });

    test('one that is not accepted is told, and a prompt that is given up is not', async () => {
      await page.goto(`${front.url}/_2fa/login?redirectUrl=${encodeURIComponent(client.url)}`);
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId: resident, isUserVerified: false });
      await alone().click();
      await untilSo(page, `document.querySelector('form[data-asking]') === null`);
      expect(await page.getByRole('alert').count()).toBe(0);
      await cdp.send('WebAuthn.setUserVerified', { authenticatorId: resident, isUserVerified: true });
      await app.storage.factors.removeAllFactors('@carol:localhost');
      await alone().click();
      await page
        .getByText('This passkey was not accepted. Try again, or sign in with your password.')
        .waitFor();
      await lookAt(page, 'passkey-9-alone-refused');
      expect(await page.getByLabel('Username').inputValue()).toBe('');
    });

    test('a page that stood too long asks anew before it asks for the passkey', async () => {
      await page.goto(`${front.url}/_2fa/login?redirectUrl=${encodeURIComponent(client.url)}`);
      const [before] = await questions();
      await page.evaluate(`performance.now = () => 6 * 60_000`);
      const loaded = page.waitForEvent('load');
      await alone().click();
      await loaded;
      expect((await questions())[0]).not.toBe(before);
    });

    const questions = () =>
      page.evaluate<string[]>(
        `[...document.querySelectorAll('input[name=question]')].map(({ value }) => value)`,
      );

    test('without PublicKeyCredential there is no dead button', async () => {
      const other = await page.context().newPage();
      await other.addInitScript('delete globalThis.PublicKeyCredential');
      await other.goto(`${front.url}/_2fa/login?redirectUrl=${encodeURIComponent(client.url)}`);
      await other.getByText('Passkeys do not work in this window.').waitFor();
      expect(await other.getByRole('button', { name: 'Sign in with a passkey' }).count()).toBe(0);
      await other.close();
    });
  });
});
