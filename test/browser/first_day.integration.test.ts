import { expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { seedIn } from '../account/account.ts';
import { describeOnSynapse } from '../integration/describe_on_synapse.ts';
import { hasBrowser, openPage, press, startWholeBrowser } from '../support/browser.ts';
import { ClientPage } from '../support/client_page.ts';
import { codeAt } from '../support/enrolment.ts';
import { CLIENT, type RealApp, type RealUser, signedIn, TOTP } from '../support/real_app.ts';
import { AccountPerson } from './account_person.ts';

const DAY = 86_400_000;
const API = '/_matrix/client/unstable/org.matrix.2fa/enrolment';
const BARRED = '@user4:localhost';
const POLICY = `policy: { default: required, grace: 1d, users: { "${BARRED}": forbidden } }`;

const onBrowser = hasBrowser('the first day of a required second factor') ? test : test.skip;

await describeOnSynapse(
  'the first day of a required second factor, on a real Synapse',
  (app) => {
    onBrowser(
      'in the grace and after it: a page client, a password-only client and one with UIA',
      async () => {
        const users = [
          await app().user(),
          await app().user(),
          await app().user(),
          await app().user(),
        ] as const;
        const browser = await startWholeBrowser();
        const client = await ClientPage.serve(app().url);
        try {
          await inGrace(app(), users, await beginOnPage(browser, client, users[0]));
          app().clock.advance(DAY + 1);
          await passwordOnly(app(), users[1], browser);
          await byUia(app(), users[2]);
          await onPage(app(), await beginOnPage(browser, client, users[0]));
          await forbidden(app(), users[3]);
        } finally {
          await client.stop();
          await browser.close();
        }
      },
    );
  },
  async () => ({ reachable: true, config: POLICY }),
);

type Users = readonly [RealUser, RealUser, RealUser, RealUser];

/** Everybody gets in; the page says until when. */
async function inGrace(app: RealApp, users: Users, page: Page): Promise<void> {
  await page.getByText(/This server requires two-factor authentication from/).waitFor();
  await page.getByRole('button', { name: 'Later' }).click();
  await arrive(page);
  for (const user of users) expect((await app.login(user, user.password)).status).toBe(200);
}

/** A client that knows only passwords is told where to go; then the code stands behind the password. */
async function passwordOnly(app: RealApp, user: RealUser, browser: Browser): Promise<void> {
  const refused = await app.login(user, user.password);
  const address = `${app.url}/_2fa/account`;
  expect(refused).toMatchObject({ status: 401, json: { errcode: 'M_FORBIDDEN' } });
  expect(refused.json.error).toContain(`Set it up at ${address}, then sign in again.`);
  const page = await openPage(browser);
  await page.goto(address);
  const person = new AccountPerson(page, app.clock, user.name, user.password);
  await person.givePassword();
  await page.getByText('This server requires two-factor authentication.').waitFor();
  const secret = await setUpInSignIn(app, page);
  await person.heading('Signed-in devices').waitFor();
  const token = signedIn(await app.login(user, `${user.password} ${person.phoneCode(secret)}`)).token;
  expect(await app.whoami(token)).toBe(200);
}

/** A client with a field for each stage sets up by the session of the sign-in. */
async function byUia(app: RealApp, user: RealUser): Promise<void> {
  const challenge = await app.login(user, user.password);
  const session = String(challenge.json.session);
  expect(challenge.json.flows).toEqual([{ stages: ['m.login.password', 'm.login.2fa.enrol'] }]);
  expect(app.heldTokens(user.userId)).toHaveLength(1);
  const begun = (await app.post(API, { session, factor: 'totp', name: 'phone' })).json;
  const token = codeAt(seedIn(begun.seed), app.clock.now());
  const confirmed = await app.post(`${API}/confirm`, { session, setup_id: String(begun.setup_id), token });
  expect(confirmed.json.recovery_codes).toHaveLength(10);
  const login = signedIn(await app.post(`${CLIENT}/login`, { auth: { session } }));
  expect(await app.whoami(login.token)).toBe(200);
}

/** The set-up comes next on the sign-in page, and then the client. */
async function onPage(app: RealApp, page: Page): Promise<void> {
  await setUpInSignIn(app, page);
  await arrive(page);
}

/** Answers the key that the page showed. */
async function setUpInSignIn(app: RealApp, page: Page): Promise<string> {
  await page.getByRole('button', { name: 'Set up now' }).click();
  expect(await page.getByRole('button', { name: 'Later' }).count()).toBe(0);
  await page.getByRole('img', { name: 'QR code for your authenticator app' }).waitFor();
  const key = ((await page.locator('.secret').textContent()) ?? '').replaceAll(' ', '');
  await page.getByRole('textbox', { name: 'Authentication code' }).fill(codeAt(seedIn(key), app.clock.now()));
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByRole('heading', { name: 'Save your recovery codes' }).waitFor();
  await page.getByLabel('I have saved these codes').check();
  await page.getByRole('button', { name: 'Done' }).click();
  return key;
}

/** Who may not set one up signs in as ever. */
async function forbidden(app: RealApp, user: RealUser): Promise<void> {
  expect(user.userId).toBe(BARRED);
  const { token } = signedIn(await app.login(user, user.password));
  expect((await app.post(TOTP, {}, token)).status).toBe(403);
}

/** Name and password on the sign-in page. */
async function beginOnPage(browser: Browser, client: ClientPage, user: RealUser): Promise<Page> {
  const page = await openPage(browser);
  await page.goto(client.url);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByLabel('Username').fill(user.name);
  await page.getByLabel('Password').fill(user.password);
  await page.getByRole('button', { name: 'Continue' }).click();
  return page;
}

/** From the confirmation to the client. */
async function arrive(page: Page): Promise<void> {
  await page.getByRole('heading', { name: 'Continue to ' }).waitFor();
  await press(page, 'Continue');
  await page.getByText(/^in the client as/).waitFor();
}
