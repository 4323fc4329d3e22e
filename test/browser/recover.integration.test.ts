import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from '@jest/globals';
import { ScureBase32Plugin } from 'otplib';
import type { Browser, Page } from 'playwright-core';
import { PUBLIC_FIELD } from '../../src/account_recovery/public_notice.ts';
import { writeRegistration } from '../../src/cli/init_appservice.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { systemRandom } from '../../src/system/random.ts';
import { describeOnSynapse } from '../integration/describe_on_synapse.ts';
import { type MailReceiver, startMailReceiver } from '../notify/receivers.ts';
import { hasBrowser, openPage, startWholeBrowser } from '../support/browser.ts';
import { codeAt } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import {
  CLIENT,
  passwordAuth,
  type RealApp,
  signedIn,
  TOTP,
  type TwoFactorUser,
} from '../support/real_app.ts';
import { AccountPerson } from './account_person.ts';

const API = '/_matrix/client/unstable/org.matrix.2fa';
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WAIT_MS = 48 * HOUR;
const base32 = new ScureBase32Plugin();
const ownFolder = mkdtempSync(join(tmpdir(), 'own-registration-'));
const ownFile = join(ownFolder, 'appservice.yaml');

let mail: MailReceiver | undefined;
let administrator: string | undefined;
afterAll(async () => {
  rmSync(ownFolder, { recursive: true });
  await mail?.stop();
});

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
          await stopByMail(app(), browser, bob);
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

    onBrowser(
      'those whom its owner named are asked by mail, and their votes shorten the wait; its profile says what goes on',
      async () => {
        const dora = await app().enrolledUser();
        const [alice, carol, frank] = [
          await app().enrolledUser(),
          await app().enrolledUser(),
          await app().enrolledUser(),
        ];
        const voters = [alice, carol, frank].map(({ userId }) => userId);
        const named = await prove(app(), dora, `${API}/recovery_contacts`, { voters });
        expect(named.status).toBe(200);
        await prove(app(), frank, TOTP, {}, 'DELETE');
        for (const voter of [alice, carol, frank]) await hasMail(app(), voter);
        await app().live(DAY + HOUR);
        // By a request of theirs the addresses of a user become known.
        for (const { token } of [alice, carol, frank])
          await app().call({ target: `${API}/recovery_contacts`, token });

        expect((await asked(app(), dora, '')).status).toBe(200);
        await expectInProfile(app(), dora, 'waiting');
        await app().direct({ method: 'DELETE', target: fieldOf(dora), json: {}, token: dora.token });
        await expectInProfile(app(), dora, 'waiting');
        await app().proxy.sendNotices();
        expect(voteLink(frank)).toBeUndefined();
        const vote = { link: voteLink(alice)?.split('t=')[1] ?? '', vote: 'yes', how: 'on the phone' };
        expect((await prove(app(), alice, `${API}/recovery_vote`, vote)).status).toBe(200);
        expect((await asked(app(), dora, '/status')).json.wait_ms).toBe(WAIT_MS);
        const browser = await startWholeBrowser();
        try {
          await voteInBrowser(app(), browser, carol);
        } finally {
          await browser.close();
        }
        expect((await asked(app(), dora, '/status')).json.wait_ms).toBe(DAY);
        await app().live(DAY);
        expect((await asked(app(), dora, '/status')).json.state).toBe('open');
        await expectInProfile(app(), dora, 'open');
        // Synapse says who administers it.
        await changed(app(), carol, { admin: true });
        expect((await asked(app(), carol, '')).status).toBe(403);
      },
    );

    test('attack 286: a guest begins none, and sets nothing', async () => {
      const guest = signedIn(await app().post(`${CLIENT}/register?kind=guest`, {}));
      const { user_id: userId } = (
        await app().direct({ target: `${CLIENT}/account/whoami`, token: guest.token })
      ).json;
      const begun = await app().post(
        `${API}/recovery_request`,
        passwordAuth({ userId: String(userId) }, 'none'),
      );
      expect(begun.status).toBe(403);
      const set = { method: 'PUT', target: `${API}/recovery_contacts`, json: { time_zone: 'UTC' } };
      expect((await app().call({ ...set, token: guest.token })).status).toBe(404);
    });
  },
  async () => {
    mail = await startMailReceiver();
    writeRegistration({ file: ownFile, serverName: 'localhost' }, systemRandom);
    return {
      ownFile,
      reachable: true,
      synapse: () => ({ allow_guest_access: true }),
      config: `account_recovery: { enabled: true, wait: 48h, operators: [ops@example.org], public_notice: true,
  votes: { enabled: true, nomination_age: 1d } }
notify: { mail: { from: 2fa@example.org, port: ${mail.port} } }`,
    };
  },
);

function addressOf({ name }: TwoFactorUser): string {
  return `${name}@example.org`;
}

/** Its administrator changes an account at Synapse. */
async function changed(app: RealApp, { userId }: TwoFactorUser, json: JsonObject): Promise<void> {
  administrator ??= (await app.synapse.signUp('root', 'correct horse root', true)).accessToken;
  const target = `/_synapse/admin/v2/users/${encodeURIComponent(userId)}`;
  expect((await app.direct({ method: 'PUT', target, token: administrator, json })).status).toBe(200);
}

/** Synapse knows a mail address of the user. */
function hasMail(app: RealApp, user: TwoFactorUser): Promise<void> {
  return changed(app, user, { threepids: [{ medium: 'email', address: addressOf(user) }] });
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
async function stopByMail(app: RealApp, browser: Browser, bob: TwoFactorUser): Promise<void> {
  await app.proxy.sendNotices();
  const told = mail?.mails.find(({ to }) => to.includes(addressOf(bob)));
  const link = /http:\/\/127\.0\.0\.1:\d+\/_2fa\/recover\/cancel\?t=[\w-]+/.exec(told?.text ?? '')?.[0] ?? '';
  const page = await openPage(browser);
  await page.goto(link);
  await page.getByRole('button', { name: 'Stop the recovery' }).click();
  await page.getByRole('heading', { name: 'The recovery was stopped' }).waitFor();
  await page.context().close();
}

/** A call with password and code. */
function prove(
  app: RealApp,
  user: TwoFactorUser,
  target: string,
  json: JsonObject,
  method = 'PUT',
): Promise<HttpAnswer> {
  const auth = passwordAuth(user, `${user.password} ${app.code(user)}`);
  return app.call({ method, target, json: { ...json, auth }, token: user.token });
}

/** Begins a recovery, or asks where it stands. */
function asked(app: RealApp, user: TwoFactorUser, what: '' | '/status'): Promise<HttpAnswer> {
  return app.post(`${API}/recovery_request${what}`, passwordAuth(user, user.password));
}

function fieldOf({ userId }: TwoFactorUser): string {
  return `${CLIENT}/profile/${encodeURIComponent(userId)}/${PUBLIC_FIELD}`;
}

/** Within the hour, for everyone. */
async function expectInProfile(app: RealApp, user: TwoFactorUser, state: string): Promise<void> {
  await app.live(HOUR);
  const shown = await app.direct({ target: fieldOf(user) });
  expect(shown.json).toEqual({ [PUBLIC_FIELD]: { state, begun_ts: expect.any(Number) } });
}

/** The link in the mail that asks a voter. */
function voteLink(voter: TwoFactorUser): string | undefined {
  const mails = mail?.mails.filter(({ to }) => to.includes(addressOf(voter))) ?? [];
  return mails.flatMap(({ text }) => /http:\S+\/_2fa\/recover\/vote\?t=[\w-]+/.exec(text) ?? [])[0];
}

/** From the link to the answer, signed in on the way. */
async function voteInBrowser(app: RealApp, browser: Browser, voter: TwoFactorUser): Promise<void> {
  const page = await openPage(browser);
  const person = new AccountPerson(page, app.clock, voter.name, voter.password);
  await page.goto(voteLink(voter) ?? '');
  await page.getByRole('link', { name: 'Continue to the account page' }).click();
  await person.signIn(app.code(voter));
  await page.getByText(/@user\d+:localhost asked to get back/).waitFor();
  await person.press('Yes, it is them');
  await person.dialog().getByLabel('How you made sure').fill('on the phone');
  await person.prove(app.code(voter), 'Yes, it is them');
  await page.getByText('Your answer was recorded.').waitFor();
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
