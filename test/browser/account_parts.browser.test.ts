import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Locator, Page, Route } from 'playwright-core';
import { LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import { describeInBrowser, openPage, startBrowser } from '../support/browser.ts';
import type { Enrolled } from '../support/enrolment.ts';
import { lookAt } from '../support/look_at.ts';
import { until } from '../support/until.ts';
import { AccountPerson } from './account_person.ts';

const PASSWORD = 'correct horse battery staple';
const STEP_MS = 30_000;
const json = (status: number, body: unknown) => (route: Route) =>
  route.fulfill({ status, contentType: 'application/json', body: JSON.stringify(body) });

/** What may come in place of the answer that was asked for. None of it says that there is nothing. */
const FAULTS: readonly [string, (route: Route) => Promise<void>, RegExp][] = [
  ['403', json(403, { errcode: 'M_FORBIDDEN', error: 'no' }), /does not answer/],
  ['401 of another kind', json(401, { errcode: 'M_UNAUTHORIZED', error: 'no' }), /does not answer/],
  ['429', json(429, { errcode: 'M_LIMIT_EXCEEDED', retry_after_ms: 5000 }), /busy\. Try again in 5 seconds/],
  ['502', json(502, { errcode: 'M_UNKNOWN', error: 'away' }), /does not answer/],
  ['HTML', (route) => route.fulfill({ status: 200, contentType: 'text/html', body: '<p>hi' }), /not answer/],
  ['{}', json(200, {}), /does not answer/],
  ['null', json(200, null), /does not answer/],
  ['a list of something else', json(200, { devices: [{}], events: [null] }), /does not answer/],
  ['a cut answer', (route) => route.fulfill({ status: 200, body: '{"devices":[],"events":[' }), /not answer/],
  ['silence', (route) => route.abort(), /does not answer/],
];

describeInBrowser('the parts of the account page', () => {
  let browser: Browser;
  let app: TestApp;
  let page: Page;
  let person: AccountPerson;
  let bob: Enrolled;

  beforeAll(async () => {
    browser = await startBrowser();
    app = await startApp({
      users: [
        { name: 'bob', password: PASSWORD },
        { name: 'carol', password: 'carols password' },
      ],
      config: `account_recovery: { enabled: true, votes: { enabled: true } }
notify: { sms: { url: "http://127.0.0.1:1/" } }`,
    });
    bob = await app.enrol('bob', 10);
    app.stub.signIn('bob');
    page = await openPage(browser);
    await page.goto(`${app.url}/_2fa/account`);
    person = new AccountPerson(page, app.clock, 'bob', PASSWORD);
    app.clock.advance(STEP_MS);
    await person.signIn(app.code(bob));
  });
  afterAll(async () => {
    await browser.close();
    await app.stop();
  });

  const part = (name: string): Locator => page.getByRole('region', { name, exact: true });

  /** The whole page again. */
  async function again(): Promise<void> {
    await page.reload();
    await person.heading('Signed-in devices').waitFor();
  }

  describe.each([
    ['devices', '**/v3/devices', 'Signed-in devices', /could not be loaded\. Others may be signed in/],
    ['activity', '**/org.matrix.2fa/history', 'Activity', /Your activity could not be loaded/],
  ])('attack 217: %s', (_, address, title, words) => {
    test.each(FAULTS)('%s in place of the answer is no all-clear', async (_fault, fulfil, reason) => {
      await page.route(address, fulfil);
      await again();
      const told = part(title).getByRole('alert');
      await told.getByText(words).waitFor();
      expect(await told.textContent()).toMatch(reason);
      expect(await part(title).getByRole('listitem').count()).toBe(0);
      expect(await page.getByText(/No other device is signed in|No activity yet/).count()).toBe(0);
      await page.unroute(address);
      await told.getByRole('button', { name: 'Try again' }).click();
      await part(title).getByRole('listitem').first().waitFor();
      await page.locator('h2:focus', { hasText: title }).waitFor();
    });
  });

  describe('attack 217: the state', () => {
    const STATE = '**/v3/account/two-factor';
    test.each(FAULTS)('%s in place of the answer is neither on nor off', async (_fault, fulfil, reason) => {
      await page.route(STATE, fulfil);
      await again();
      await person.heading('Your status could not be loaded').waitFor();
      expect(await page.getByRole('alert').first().textContent()).toMatch(reason);
      expect(await page.getByText(/Two-factor authentication is o/).count()).toBe(0);
      expect(await page.getByRole('button', { name: 'Turn on two-factor authentication' }).count()).toBe(0);
      await part('Signed-in devices').getByRole('listitem').first().waitFor();
      await page.unroute(STATE);
      await page.locator('.status').getByRole('button', { name: 'Try again' }).click();
      await person.heading('Two-factor authentication is on').waitFor();
    });
  });

  test('the section that is read is the current one of the navigation', async () => {
    await page.setViewportSize({ width: 1000, height: 700 });
    await again();
    const nav = page.getByRole('navigation', { name: 'Account security' });
    const current = nav.locator('[aria-current="location"]');
    await nav.locator('[aria-current="location"]', { hasText: 'Authenticators' }).waitFor();
    expect(await current.count()).toBe(1);
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    await nav.locator('[aria-current="location"]', { hasText: 'Turn off' }).waitFor();
    expect(await current.count()).toBe(1);
    await page.evaluate('scrollTo(0, 0)');
    await nav.locator('[aria-current="location"]', { hasText: 'Authenticators' }).waitFor();
    expect(await current.count()).toBe(1);
  });

  test('what is not loaded looks well, too', async () => {
    for (const address of ['devices', 'history', 'account/two-factor'])
      await page.route(`**/${address}`, json(502, {}));
    await again();
    await page.getByRole('alert').nth(2).waitFor();
    await lookAt(page, 'account-23-not-loaded');
    await page.unrouteAll();
    await page.locator('.status').getByRole('button', { name: 'Try again' }).click();
    await person.heading('Two-factor authentication is on').waitFor();
  });

  test('a part that is awaited says so', async () => {
    let release = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await page.route('**/v3/devices', async (route) => {
      await held;
      await route.continue();
    });
    await again();
    await part('Signed-in devices').getByText('Loading …').waitFor();
    release();
    await part('Signed-in devices').getByRole('listitem').first().waitFor();
    await page.unrouteAll();
  });

  test('devices: this page first, then by activity, with what is known of each', async () => {
    const here = app.stub.devicesOf('bob').at(-1)?.deviceId;
    await page.route(
      '**/v3/devices',
      json(200, {
        devices: [
          { device_id: 'OLD', display_name: '<i>Firefox</i> on Linux', last_seen_ts: 1e12 },
          { device_id: 'NEW', display_name: 'Pixel 9', last_seen_ts: 2e12, last_seen_ip: '192.0.2.7' },
          { device_id: here, display_name: 'Account page', last_seen_ts: 1.5e12 },
          { device_id: 'NEVER' },
        ],
      }),
    );
    await again();
    await part('Signed-in devices').getByText('Pixel 9', { exact: true }).waitFor();
    const rows = part('Signed-in devices').getByRole('listitem');
    expect(await rows.locator('b').allTextContents()).toEqual([
      'Account page',
      'Pixel 9',
      '<i>Firefox</i> on Linux',
      'Unnamed device',
    ]);
    expect(await rows.first().getByText('This page').count()).toBe(1);
    expect(await rows.first().getByRole('button').count()).toBe(0);
    expect(await rows.nth(1).locator('summary').textContent()).toBe(
      'Last active 18 May 2033, 03:33 · 192.0.2.7',
    );
    expect(await rows.nth(2).locator('summary').textContent()).toBe('Last active 9 Sept 2001, 01:46');
    expect(await rows.nth(1).getByText('NEW').isVisible()).toBe(false);
    await rows.nth(1).locator('summary').click();
    expect(await rows.nth(1).getByText('NEW').isVisible()).toBe(true);
    await lookAt(page, 'account-24-devices');
    await page.unrouteAll();
  });

  test('a device password is made, signs an app in, is renamed and revoked', async () => {
    await again();
    const mine = part('Device passwords');
    await mine.getByText('No device passwords yet.').waitFor();
    await person.press('Create a device password');
    await person.dialog().getByLabel('Name of the app').fill('Backup bot');
    app.clock.advance(STEP_MS);
    await person.prove(app.code(bob), 'Continue');
    await person.heading('Your new device password').waitFor();
    await lookAt(page, 'account-26-device-password');
    const secret = (await page.locator('code.secret').textContent()) ?? '';
    const signIn = () => app.post(LOGIN, passwordLogin('bob', secret));
    const released = await signIn();
    expect([released.status, released.json.user_id]).toEqual([200, bob.userId]);
    await person.press('Done');
    const row = mine.getByRole('listitem').filter({ hasText: 'Backup bot' });
    expect(await row.textContent()).not.toContain('not used yet');
    await lookAt(page, 'account-27-device-passwords');

    await person.press('Rename “Backup bot”');
    await person.dialog().getByLabel('Name of the app').fill('Logs');
    await page.keyboard.press('Enter');
    await page.getByText('Device password renamed.').waitFor();
    await person.press('Revoke “Logs”');
    await page.getByText('The app is signed out at once').waitFor();
    await lookAt(page, 'account-28-revoke');
    await person.dialog().getByRole('button', { name: 'Revoke', exact: true }).click();
    await page.getByText('Device password revoked.').waitFor();
    await mine.getByText('No device passwords yet.').waitFor();
    expect((await signIn()).status).toBe(403);
  });

  test('attack 217: device passwords that could not be loaded are not none', async () => {
    await page.route('**/org.matrix.2fa/device_passwords', json(200, { device_passwords: [null] }));
    await again();
    await part('Device passwords').getByText('Your device passwords could not be loaded.').waitFor();
    expect(await page.getByText('No device passwords yet.').count()).toBe(0);
    await page.unrouteAll();
  });

  test('what counts for a recovery of the account is set and removed, each time with password and code', async () => {
    await again();
    const mine = part('Account recovery');
    await mine.getByText('UTC (that of the server)').waitFor();
    const prove = async (button = 'Continue') => {
      app.clock.advance(STEP_MS);
      await person.prove(app.code(bob), button);
    };
    await person.press('Change the time zone');
    // What is asked for first has the focus, and what it is for stands before it.
    await person.dialog().getByLabel('Time zone').and(page.locator(':focus')).waitFor();
    await person.dialog().getByLabel('Time zone').fill('Asia/Kolkata');
    await lookAt(page, 'account-29-time-zone');
    await prove();
    await page.getByText('Settings for account recovery changed.').waitFor();
    await mine.getByText('Asia/Kolkata', { exact: true }).waitFor();

    await person.press('Add an absence');
    await person.dialog().getByLabel('First day').fill('2026-12-21');
    await person.dialog().getByLabel('Last day').fill('2027-01-31');
    await prove();
    await person.dialog().getByText('An absence has at most 21 days.').waitFor();
    await person.dialog().getByLabel('Last day').fill('2026-12-31');
    await prove();
    await mine.getByText('21 Dec 2026 to 31 Dec 2026').waitFor();

    await person.press('Name a person');
    await person.dialog().getByLabel('Username').fill('@carol:localhost');
    await prove();
    await person.dialog().getByText('this user does not have two-factor authentication on').waitFor();
    await app.enrol('carol');
    await prove();
    await mine.getByText('@carol:localhost', { exact: true }).waitFor();
    await mine.getByText(/^Counts from/).waitFor();
    await lookAt(page, 'account-30-recovery-contacts');

    await person.press('Change the contact address');
    await person.dialog().getByLabel('Phone number').fill('0151 12345678');
    await prove();
    await person.dialog().getByText('This is not a phone number such as +4915112345678.').waitFor();
    await person.dialog().getByLabel('Phone number').fill('+49 (151) 123-45678');
    await prove();
    await mine
      .getByText('+4915112345678 · Not confirmed yet: follow the link in the text message.')
      .waitFor();

    await person.press('Remove the absence 21 Dec 2026 to 31 Dec 2026');
    await prove('Remove');
    await mine.getByText('No absences entered.').waitFor();
    await mine.getByRole('button', { name: 'Remove all' }).click();
    await prove('Remove all');
    await mine.getByText('No one is named.').waitFor();
    await mine.getByText('UTC (that of the server)').waitFor();
  });

  test('a voter who comes by their link is asked on this page, and answers with a proof', async () => {
    await page.goto(`${app.url}/_2fa/recover/vote?t=${'A'.repeat(27)}`);
    await page.getByRole('link', { name: 'Continue to the account page' }).click();
    const asked = part('Is it them?');
    await asked.getByText('This account is not asked anything by this link.').waitFor();
    await asked.getByRole('button', { name: 'Close' }).waitFor();
    const question = { user_id: '@carol:localhost', begun_ts: 1e12, open: true, vote: null, voted_ts: null };
    const address = '**/org.matrix.2fa/recovery_vote';
    await page.route(address, json(200, {}));
    await again();
    await asked.getByText('What you are asked could not be loaded.').waitFor();
    await page.unrouteAll();
    await page.route(address, (route) =>
      route.request().method() === 'POST' ? json(200, question)(route) : route.continue(),
    );
    await again();
    await asked.getByText(/^On .*, @carol:localhost asked to get back/).waitFor();
    await asked.getByText('reach them by another way than Matrix').waitFor();
    await lookAt(page, 'account-31-vote');
    await person.press('Yes, it is them');
    await person.dialog().getByLabel('How you made sure').fill('on the phone');
    app.clock.advance(STEP_MS);
    await person.prove(app.code(bob), 'Yes, it is them');
    await person.dialog().getByText('This link asks this account nothing.').waitFor();
    await page.keyboard.press('Escape');
    await person.press('Not now');
    await page.unrouteAll();
    await again();
    expect(await page.getByText('Is it them?').count()).toBe(0);
  });

  test('attack 217: settings of a recovery that could not be loaded are not none', async () => {
    const address = '**/org.matrix.2fa/recovery_contacts';
    await page.route(address, json(200, { voters: [], absences: [null] }));
    await again();
    await part('Account recovery').getByText('Your settings for account recovery could not').waitFor();
    expect(await page.getByText('No one is named.').count()).toBe(0);
    await page.unrouteAll();
  });

  test('what the policy forbids is there only while there is something to remove', async () => {
    const none = { allowed: false, voters: [], contact: null, absences: [], time_zone: null };
    const available = { voters: true, mail: true, phone: true, absences: true };
    const server_time_zone = 'UTC';
    const address = '**/org.matrix.2fa/recovery_contacts';
    await page.route(address, json(200, { ...none, time_zone: 'Asia/Kolkata', server_time_zone, available }));
    await again();
    await part('Account recovery').getByText('does not allow account recovery').waitFor();
    expect(await part('Account recovery').getByRole('button').allTextContents()).toEqual(['Remove all']);
    await page.unrouteAll();
    await page.route(address, json(200, { ...none, server_time_zone, available }));
    await again();
    await part('Account recovery').waitFor({ state: 'detached' });
    expect(await page.getByRole('link', { name: 'Account recovery' }).count()).toBe(0);
    await page.unrouteAll();
  });

  test('activity: wrong codes are one line, and a sign-in names the authenticator', async () => {
    const [row] = await app.storage.factors.authenticators(bob.userId);
    const here = app.stub.devicesOf('bob').at(-1)?.deviceId;
    const event = (name: string, at: number, detail = {}) => {
      return { at, event: name, address: '192.0.2.7', device_id: null, detail };
    };
    await page.route(
      '**/org.matrix.2fa/history',
      json(200, {
        events: [
          event('login.completed', 1_900_000),
          event('totp.used', 1_899_000, { authenticator: row?.id }),
          event('factor.refused', 1_895_000, { factor: 'webauthn' }),
          event('factor.refused', 1_893_000, { factor: 'webauthn' }),
          event('factor.refused', 1_890_000),
          event('factor.refused', 1_880_000),
          event('factor.refused', 1_870_000),
          event('factor.refused', 1_000_000),
          event('guard.passed', 980_000, { action: 'remove_devices', devices: 2 }),
          event('guard.passed', 970_000, { action: 'remove_device' }),
          event('guard.passed', 960_000, { action: 'no_such' }),
          { ...event('guard.passed', 950_000), device_id: 'GONE' },
          { ...event('recovery.used', 940_000, { position: 2, remaining: 1 }), device_id: here },
          event('no.such', 900_000),
        ],
      }),
    );
    await again();
    await part('Activity').getByText('Signed in with phone').waitFor();
    await part('Activity').getByRole('button', { name: 'Show more' }).click();
    const used = part('Activity').getByRole('listitem').filter({ hasText: 'Recovery code used (1 left)' });
    await used.getByText(/ · Account page · 192\.0\.2\.7$/).waitFor();
    expect(await part('Activity').locator('b').allTextContents()).toEqual([
      'Signed in with phone',
      'Passkey not accepted 2 times',
      '3 incorrect codes',
      'Incorrect code',
      'Approved: sign out 2 devices',
      'Approved: sign out 1 device',
      'Approved: change something in your account',
      'Protected action confirmed',
      'Recovery code used (1 left)',
      'Other event (no.such)',
    ]);
    expect(await page.getByText('Lost your phone?').count()).toBe(0);
    await page.unrouteAll();
  });

  test('a recovery code that was used at another door is told of until it is said that nothing is lost', async () => {
    const used = {
      at: 1_900_000,
      event: 'recovery.used',
      address: '192.0.2.7',
      device_id: 'PHONE',
      detail: {},
    };
    const older = { ...used, at: 1_800_000, event: 'totp.used' };
    await page.route('**/org.matrix.2fa/history', json(200, { events: [used, older] }));
    await page.route(
      '**/v3/devices',
      json(200, { devices: [{ device_id: 'PHONE', display_name: 'Pixel 9' }] }),
    );
    await again();
    await page.getByText(/^A recovery code was used on 1 Jan 1970, \d\d:31 \(Pixel 9\)/).waitFor();
    await page.getByRole('button', { name: 'Set up a new authenticator' }).waitFor();
    await lookAt(page, 'account-25-recovered-earlier');
    await person.press('I still have my phone');
    expect(await page.getByText('A recovery code was used').count()).toBe(0);
    await page.locator('h1:focus').waitFor();
    await again();
    await part('Activity').getByText('Recovery code used').waitFor();
    expect(await page.getByText('A recovery code was used').count()).toBe(0);

    // A later one is another matter.
    await page.unroute('**/org.matrix.2fa/history');
    const later = { ...used, at: 2_500_000, device_id: null };
    await page.route('**/org.matrix.2fa/history', json(200, { events: [later, used] }));
    await again();
    await page.getByText(/^A recovery code was used on 1 Jan 1970, \d\d:41 \(192\.0\.2\.7\)/).waitFor();
    await page.unrouteAll();
  });

  test('where the account has no password nothing speaks of one', async () => {
    const event = { at: 3_900_000, address: '192.0.2.7', device_id: null, detail: {} };
    const events = ['recovery.used', 'login.held_ended'].map((name) => ({ ...event, event: name }));
    await page.route('**/org.matrix.2fa/history', json(200, { events }));
    await page.route('**/_2fa/account/session', async (route) => {
      const answer = await route.fetch();
      await route.fulfill({ response: answer, json: { ...(await answer.json()), has_password: false } });
    });
    const said = async () => {
      await page.waitForLoadState('networkidle');
      const text = (await page.evaluate('document.body.innerText')) as string;
      return text.replaceAll(/(?:device|only) passwords?/gi, '');
    };
    await again();
    await page.getByText('secure your account at your provider.').nth(1).waitFor();
    await page.getByText('Sign-in not completed: your provider confirmed it').waitFor();
    await page.getByText('Signing in takes your provider and a second step.').waitFor();
    expect(await said()).not.toMatch(/password/i);
    await page.route('**/v3/account/two-factor', json(200, { enabled: false, providers: {} }));
    await again();
    await page.getByText('Anyone who gets into your account at your provider can sign in').waitFor();
    expect(await said()).not.toMatch(/password/i);
    await page.unrouteAll();
    await again();
    expect(await said()).toMatch(/your password and a second step/);
  });

  test('until when a factor counts, and in the title that something is wrong', async () => {
    await again();
    expect(await page.locator('.status .aside').textContent()).toMatch(/^Verified until \d\d:\d\d$/);
    const title = await page.title();
    // A dialog that is shut is gone for Playwright before the page hears of it.
    const isTitled = (wanted: string) => until(async () => (await page.title()) === wanted);
    await person.press('Turn off');
    await person.dialog().getByRole('button', { name: 'Turn off' }).click();
    await isTitled(`Error: ${title}`);
    await page.keyboard.press('Escape');
    await person.dialog().waitFor({ state: 'detached' });
    await isTitled(title);
  });
});
