import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, Page, Route } from 'playwright-core';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { OWN_TOKEN } from '../login/lone_person.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { describeInBrowser, openPage, startBrowser } from '../support/browser.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { AccountPerson } from './account_person.ts';

const PASSWORD = 'correct horse battery staple';
const STEP_MS = 30_000;
const SESSION = '**/_2fa/account/session';
const DEVICES = '**/v3/devices';
const CODES = '**/account/two-factor/recovery';

const json = (status: number, body: unknown) => (route: Route) =>
  route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) });

/** Something that a test lets happen. */
class Gate {
  open = (): void => undefined;
  readonly opened = new Promise<void>((resolve) => {
    this.open = resolve;
  });
}

describeInBrowser('the account page, where the network and its user are in a hurry', () => {
  let browser: Browser;
  let app: TestApp;
  let page: Page;
  let person: AccountPerson;
  /** Somebody new for each test. */
  let name: string;
  let enrolled: Enrolled;
  let people = 0;
  let complaints: string[];

  beforeAll(async () => {
    browser = await startBrowser();
    app = await startApp({
      // Accounts may have no password.
      sso: { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'nobody' },
      applicationServices: [{ token: OWN_TOKEN, senderLocalpart: 'two-factor', prefix: '' }],
      ownToken: OWN_TOKEN,
      config: 'account_recovery: { enabled: true, votes: { enabled: true } }',
    });
  });
  afterAll(async () => {
    await browser.close();
    await app.stop();
  });

  beforeEach(async () => {
    complaints = [];
    page = await openPage(browser);
    page.on('pageerror', (error) => complaints.push(error.message));
    people += 1;
    name = `person${people}`;
    app.stub.addUser({ name, password: PASSWORD });
    person = new AccountPerson(page, app.clock, name, PASSWORD);
  });
  afterEach(async () => {
    await page.context().close();
    expect(complaints).toEqual([]);
  });

  const open = () => page.goto(`${app.url}/_2fa/account`);

  /** With 2FA. Other devices may be signed in. */
  async function signIn(devices = 0): Promise<Enrolled> {
    enrolled = await app.enrol(name, 10);
    for (let time = 0; time < devices; time += 1) app.stub.signIn(name);
    await open();
    await person.signIn(nextCode());
    await page.waitForLoadState('networkidle');
    return enrolled;
  }

  function nextCode(): string {
    app.clock.advance(STEP_MS);
    return app.code(enrolled);
  }

  /** Those of the page for new codes, by what was proven with them. */
  const proofs: (string | undefined)[] = [];

  /** Has the answers to such a proof come when the gate is open; the other gate opens when one is there. */
  async function holdAnswer(type: string): Promise<{ asked: Gate; gate: Gate }> {
    const [asked, gate] = [new Gate(), new Gate()];
    proofs.length = 0;
    await page.route(CODES, async (route) => {
      const { auth } = route.request().postDataJSON() as { auth?: JsonObject };
      proofs.push(auth?.type as string | undefined);
      if (auth?.type !== type) return route.continue();
      const response = await route.fetch();
      asked.open();
      await gate.opened;
      await route.fulfill({ response });
    });
    return { asked, gate };
  }

  async function closeDialog(): Promise<void> {
    await page.keyboard.press('Escape');
    await person.dialog().waitFor({ state: 'detached' });
  }

  /** Whatever a script does with the answer is done. */
  const settled = () => page.evaluate('new Promise((done) => setTimeout(() => requestAnimationFrame(done)))');

  describe('without 2FA', () => {
    beforeEach(async () => {
      app.stub.signIn(name);
      await open();
      await person.givePassword();
      await person.heading('Signed-in devices').waitFor();
      await page.waitForLoadState('networkidle');
      app.stub.clear();
    });

    test('the homeserver’s own questions are answered: a device is signed out, the password changed', async () => {
      await page
        .getByRole('button', { name: /^Sign out “/ })
        .first()
        .click();
      // What is only asked about is asked of no one.
      await settled();
      expect(app.stub.requestsTo('delete_devices')).toEqual([]);
      await person.prove(undefined, 'Sign out');
      await page.getByText('1 device signed out.').waitFor();
      await person.press('Change password');
      await person.dialog().getByLabel('New password').fill(`${PASSWORD}!`);
      await person.dialog().getByLabel('Password', { exact: true }).fill('wrong');
      await person.dialog().getByRole('button', { name: 'Change password' }).click();
      await person.dialog().getByText('Incorrect password.').waitFor();
      await person.dialog().getByLabel('Password', { exact: true }).fill(PASSWORD);
      await person.dialog().getByRole('button', { name: 'Change password' }).click();
      await page.getByText('You are signed out.').waitFor();
      expect(app.stub.passwordOf(name)).toBe(`${PASSWORD}!`);
    });
  });

  describe('attack 377: a dialog is closed while its answer is awaited', () => {
    beforeEach(async () => {
      await signIn();
      await person.press('Create new recovery codes');
    });

    test('what was done is shown: codes that nothing else has', async () => {
      const { asked, gate } = await holdAnswer('m.login.password');
      await person.prove(nextCode(), 'Continue');
      await asked.opened;
      await closeDialog();
      gate.open();
      await person.heading('Save your recovery codes').waitFor();
      expect(await person.shownCodes()).toHaveLength(10);
    });

    test('what was not sent is not sent any more', async () => {
      const { asked, gate } = await holdAnswer('m.login.2fa.totp');
      const title = await page.title();
      await person.prove(nextCode(), 'Continue');
      await asked.opened;
      await closeDialog();
      gate.open();
      await settled();
      expect(proofs).toEqual([undefined, 'm.login.2fa.totp']);
      expect(await page.title()).toBe(title);
    });

    test('a problem that comes too late is none of the page', async () => {
      const { asked, gate } = await holdAnswer('m.login.password');
      const title = await page.title();
      await person.dialog().getByLabel('Authentication code').fill(nextCode());
      await person.dialog().getByLabel('Password').fill('wrong');
      await page.keyboard.press('Enter');
      await asked.opened;
      await closeDialog();
      gate.open();
      await settled();
      expect(await page.title()).toBe(title);
    });
  });

  describe('new recovery codes', () => {
    beforeEach(() => signIn());

    test('who signs out, and stays to save them, is signed out then', async () => {
      await person.press('Create new recovery codes');
      await person.prove(nextCode(), 'Continue');
      await person.heading('Save your recovery codes').waitFor();
      page.once('dialog', (question) => void question.dismiss());
      const asked = page.waitForEvent('dialog');
      await person.press('Sign out');
      await asked;
      await page.getByLabel('I have saved these codes').check();
      await person.press('Done');
      await page.getByText('You are signed out.').waitFor();
    });

    test('are shown although the name of the authenticator cannot be given now', async () => {
      const gate = new Gate();
      await page.route('**/org.matrix.2fa/authenticators/*', async (route) => {
        await gate.opened;
        await route.continue();
      });
      await person.press('Replace “phone”');
      await person.prove(undefined, 'Continue');
      const secret = await person.secretOnPage();
      await person.press('Continue');
      await person.verify(person.phoneCode(secret), 'phone');
      await person.heading('Save your recovery codes').waitFor();
      await page.getByLabel('I have saved these codes').check();
      await person.press('Done');
      gate.open();
      await page.getByText('Authenticator replaced.').waitFor();
      await page.getByRole('button', { name: 'Rename “phone”' }).waitFor();
    });

    test('the focus stays at what was pressed', async () => {
      await person.press('Create new recovery codes');
      await person.prove(nextCode(), 'Continue');
      await person.heading('Save your recovery codes').waitFor();
      await page.evaluate('navigator.clipboard.writeText = () => Promise.reject(new Error())');
      const [download] = await Promise.all([page.waitForEvent('download'), person.press('Download')]);
      await download.path();
      await page.locator('button:focus', { hasText: 'Downloaded' }).waitFor();
      // What the browser does not let do goes away, and the focus with it to the heading.
      await person.press('Copy');
      await page.locator('h1:focus').waitFor();
    });
  });

  describe('attack 378: an answer that is none', () => {
    const faults: readonly [string, (route: Route) => Promise<void>][] = [
      ['{}', json(200, {})],
      ['null', json(200, null)],
      ['401 of another kind', json(401, { errcode: 'M_UNAUTHORIZED', error: 'no' })],
      ['HTML', (route) => route.fulfill({ status: 401, contentType: 'text/html', body: '<p>hi' })],
    ];

    test.each(faults)('%s in place of the session signs no one out, and is told', async (_, fulfil) => {
      await signIn();
      await page.route(SESSION, fulfil);
      await page.reload();
      await page.getByText('This could not be loaded.').waitFor();
      await page.unroute(SESSION);
      await person.press('Try again');
      await person.heading('Two-factor authentication is on').waitFor();
    });

    test('entries that lack the rest are not awaited for ever', async () => {
      await signIn();
      await page.route('**/org.matrix.2fa/history', json(200, { events: [{ event: 'login.completed' }] }));
      await page.route(
        '**/org.matrix.2fa/recovery_contacts',
        json(200, { allowed: true, voters: [], absences: [] }),
      );
      await page.route('**/org.matrix.2fa/recovery_vote', json(200, null));
      await page.evaluate(`sessionStorage.setItem('m2fa_vote', 'A'.repeat(27))`);
      await page.reload();
      await page.getByText('Your activity could not be loaded.').waitFor();
      await page.getByText('Your settings for account recovery could not be loaded.').waitFor();
      await page.getByText('What you are asked could not be loaded.').waitFor();
      await person.press('Not now');
      await page.locator('h1:focus').waitFor();
    });

    test('a limit of a server in front of ours is told as one', async () => {
      await signIn();
      await page.route(DEVICES, (route) =>
        route.fulfill({ status: 429, contentType: 'text/html', body: '<p>' }),
      );
      await page.reload();
      await page.getByText(/could not be loaded.*The server is busy/).waitFor();
    });
  });

  describe('attack 379: an answer that never comes', () => {
    beforeEach(async () => {
      await signIn();
      await page.clock.install();
    });

    test('the page says that it waits, and after two minutes that there is no answer', async () => {
      await page.route(SESSION, () => undefined);
      await page.reload();
      await page.getByRole('status').getByText('Loading …').waitFor();
      await page.clock.runFor('02:01');
      await page.getByText('This could not be loaded. The server does not answer.').waitFor();
      await page.locator('.notice:focus').waitFor();
    });

    test('a dialog can be sent again', async () => {
      await page.route(CODES, () => undefined);
      await person.press('Create new recovery codes');
      await person.prove(nextCode(), 'Continue');
      await person.dialog().locator('form[aria-busy]').waitFor();
      await page.clock.runFor('02:01');
      await person.dialog().getByText('The server does not answer.').waitFor();
      await page.unroute(CODES);
      await person.prove(nextCode(), 'Continue');
      await person.heading('Save your recovery codes').waitFor();
    });
  });

  describe('attack 380: pressed twice', () => {
    test('a button that asks first opens one dialog', async () => {
      await signIn(2);
      const gate = new Gate();
      const button = page.getByRole('button', { name: 'Sign out all other devices' });
      await page.route(DEVICES, async (route) => {
        await gate.opened;
        await route.continue();
      });
      await button.dblclick();
      await page.locator('button[data-works]', { hasText: 'Sign out all other devices' }).waitFor();
      gate.open();
      await person.dialog().first().waitFor();
      await page.waitForLoadState('networkidle');
      expect(await page.locator('dialog').count()).toBe(1);
      await closeDialog();
    });

    test('a page that is loaded again is asked for once', async () => {
      await signIn();
      await page.route('**/v3/account/two-factor', json(502, {}));
      await page.reload();
      await person.heading('Your status could not be loaded').waitFor();
      await page.unroute('**/v3/account/two-factor');
      let asked = 0;
      page.on('request', (request) => {
        if (request.url().endsWith('/v3/account/two-factor')) asked += 1;
      });
      await page.locator('.status').getByRole('button', { name: 'Try again' }).dblclick();
      await person.heading('Two-factor authentication is on').waitFor();
      await page.waitForLoadState('networkidle');
      expect(asked).toBe(1);
    });
  });

  describe('after a recovery code', () => {
    const endAll = () =>
      page.locator('.recovered').getByRole('button', { name: 'Sign out all other devices' });

    async function enter(): Promise<void> {
      const { recoveryCodes } = await app.enrol(name, 10);
      await open();
      await person.enterWithRecoveryCode(recoveryCodes[0]);
      await page.waitForLoadState('networkidle');
    }

    test('other devices can be signed out at once where there are some, or where that is not known', async () => {
      await enter();
      const here = app.stub.devicesOf(name).at(-1)?.deviceId;
      await page.getByText('No other device is signed in.').waitFor();
      expect(await endAll().isVisible()).toBe(false);
      await page.route(DEVICES, json(502, {}));
      await page.reload();
      await page.getByText('Your devices could not be loaded.').waitFor();
      await endAll().waitFor();
      await page.unrouteAll();
      await page.route(DEVICES, json(200, { devices: [{ device_id: here }, { device_id: 'OTHER' }] }));
      await page.reload();
      await endAll().waitFor();
    });

    test('the focus stays when the code counts no more for the next step', async () => {
      await page.clock.install({ time: app.clock.now() });
      await enter();
      const replace = page.locator('.recovered').getByRole('button', { name: 'Set up a new authenticator' });
      await replace.focus();
      await page.clock.runFor('10:30');
      await page.getByText('Replacing your authenticator takes one more.').waitFor();
      await page.locator('.recovered button:focus').waitFor();
    });
  });
});
