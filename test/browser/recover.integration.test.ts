import { afterAll, expect, test } from '@jest/globals';
import { ScureBase32Plugin } from 'otplib';
import type { Browser, Page } from 'playwright-core';
import { describeOnSynapse } from '../integration/describe_on_synapse.ts';
import { type MailReceiver, startMailReceiver } from '../notify/receivers.ts';
import { hasBrowser, openPage, startWholeBrowser } from '../support/browser.ts';
import { codeAt } from '../support/enrolment.ts';
import { type RealApp, signedIn, type TwoFactorUser } from '../support/real_app.ts';

const HOUR = 3_600_000;
const WAIT_MS = 48 * HOUR;
const ADDRESS = 'user1@example.org';
const base32 = new ScureBase32Plugin();

let mail: MailReceiver | undefined;
afterAll(() => mail?.stop());

const onBrowser = hasBrowser('the recovery of an account') ? test : test.skip;

await describeOnSynapse(
  'the recovery of an account, on a real Synapse',
  (app) => {
    onBrowser(
      'begun, stopped by the link in a mail, begun again, and finished: other sessions are gone',
      async () => {
        const bob = await app().enrolledUser();
        await hasMail(app(), bob);
        // What went by before it was first looked at no process has measured.
        await app().live(0);
        const browser = await startWholeBrowser();
        try {
          await begin(await arrived(app(), browser, bob));
          await stopByMail(app(), browser);
          const claim = await begin(await arrived(app(), browser, bob));
          // After one that was stopped by a link the next waits twice as long.
          await passes(app(), 2 * WAIT_MS + HOUR);
          const codes = await finish(app(), await arrived(app(), browser, bob), claim);
          expect(await app().whoami(bob.token)).toBe(401);
          expect(mail?.mails.filter(({ text }) => text.includes('was recovered'))).toHaveLength(2);
          const login = await app().login(bob, `${bob.password} ${codes[0]}`);
          expect(await app().whoami(signedIn(login).token)).toBe(200);
          expect((await app().login(bob, `${bob.password} ${app().code(bob)}`)).status).not.toBe(200);
        } finally {
          await browser.close();
        }
      },
    );
  },
  async () => {
    mail = await startMailReceiver();
    return {
      reachable: true,
      config: `account_recovery: { enabled: true, wait: 48h, operators: [ops@example.org] }
policy: { administrators: { detect: false } }
notify: { mail: { from: 2fa@example.org, port: ${mail.port} } }`,
    };
  },
);

/** Synapse knows a mail address of the user. */
async function hasMail(app: RealApp, { userId }: TwoFactorUser): Promise<void> {
  const admin = await app.synapse.signUp('root', 'correct horse root', true);
  const answer = await app.direct({
    method: 'PUT',
    target: `/_synapse/admin/v2/users/${encodeURIComponent(userId)}`,
    token: admin.accessToken,
    json: { threepids: [{ medium: 'email', address: ADDRESS }] },
  });
  expect(answer.status).toBe(200);
}

/** A new browser that has given name and password on the page, to which the code page has led it. */
async function arrived(app: RealApp, browser: Browser, bob: TwoFactorUser): Promise<Page> {
  const page = await openPage(browser);
  await page.goto(`${app.url}/_2fa/account`);
  await givePassword(page, bob);
  await page.getByRole('link', { name: 'Lost your phone and your recovery codes?' }).click();
  await page.getByRole('heading', { name: 'Recover your account' }).waitFor();
  await givePassword(page, bob);
  await page.getByRole('heading').first().waitFor();
  return page;
}

async function givePassword(page: Page, { name, password }: TwoFactorUser): Promise<void> {
  await page.getByLabel('Username').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.getByRole('button', { name: 'Continue' }).click();
}

/** The claim code. */
async function begin(page: Page): Promise<string> {
  await page.getByText('u•••@e•••.org').waitFor();
  await page.getByRole('button', { name: 'Start recovery' }).click();
  await page.getByRole('heading', { name: 'Keep your claim code' }).waitFor();
  const claim = String(await page.locator('.codes li').textContent());
  await page.getByLabel('I have saved this code').check();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('heading', { name: 'Recovery is under way' }).waitFor();
  await page.context().close();
  return claim;
}

/** The owner reads the mail and follows its link. */
async function stopByMail(app: RealApp, browser: Browser): Promise<void> {
  await app.proxy.sendNotices();
  const told = mail?.mails.find(({ to }) => to.includes(ADDRESS));
  const link = /http:\/\/127\.0\.0\.1:\d+\/_2fa\/recover\/cancel\?t=[\w-]+/.exec(told?.text ?? '')?.[0] ?? '';
  const page = await openPage(browser);
  await page.goto(link);
  await page.getByRole('button', { name: 'Stop the recovery' }).click();
  await page.getByRole('heading', { name: 'The recovery was stopped' }).waitFor();
  await page.context().close();
}

async function passes(app: RealApp, ms: number): Promise<void> {
  await app.live(ms);
  await app.proxy.sendNotices();
}

/** Sets up a new authenticator by the claim code. The new recovery codes. */
async function finish(app: RealApp, page: Page, claim: string): Promise<string[]> {
  await page.getByLabel('Claim code').fill(claim);
  await page.getByRole('button', { name: 'Continue' }).click();
  await page.getByRole('heading', { name: 'Set up your new authenticator' }).waitFor();
  const key = String(await page.locator('.secret').textContent()).replaceAll(/\s/g, '');
  await page.locator('#code').fill(codeAt(Buffer.from(base32.decode(key)), app.clock.now()));
  await page.getByRole('button', { name: 'Verify' }).click();
  await page.getByText('Your account is recovered.').waitFor();
  const codes = await page.locator('.codes li').allInnerTexts();
  await page.getByLabel('I have saved these codes').check();
  await page.getByRole('button', { name: 'Done' }).click();
  await page.getByRole('heading', { name: 'Signed-in devices' }).waitFor();
  await app.proxy.sendNotices();
  await page.context().close();
  return codes;
}
