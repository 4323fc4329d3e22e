/** People with a client that knows nothing of second factors, on a real Synapse: our pages do all the work. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { describeOnSynapse } from '../integration/describe_on_synapse.ts';
import { describeInBrowser, openPage, press, startWholeBrowser } from '../support/browser.ts';
import { ClientPage } from '../support/client_page.ts';
import { CLIENT, type RealApp, signedIn, type TwoFactorUser } from '../support/real_app.ts';
import { AccountPerson } from './account_person.ts';

await describeOnSynapse('a client that knows no second factor', (app) => {
  describeInBrowser('on a real Synapse, in a browser', () => inBrowser(app));
});

function inBrowser(app: () => RealApp): void {
  let browser: Browser;
  let client: ClientPage;
  let page: Page;

  beforeAll(async () => {
    browser = await startWholeBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    client = await ClientPage.serve(app().url);
    page = await openPage(browser);
  });
  afterEach(async () => {
    await page.context().close();
    await client.stop();
  });

  /** From the client's button through the password, by keyboard. */
  async function comeWithPassword({ name, password }: { name: string; password: string }): Promise<void> {
    await page.goto(client.url);
    await press(page, 'Sign in');
    await page.locator('#user:focus').waitFor();
    await page.keyboard.type(name);
    await page.keyboard.press('Tab');
    await page.keyboard.type(password);
    await page.keyboard.press('Enter');
  }

  /** Answers the device that the client got. */
  async function goOn(userId: string): Promise<string> {
    await page.getByRole('heading', { name: 'Continue to ' }).waitFor();
    await press(page, 'Continue');
    const state = page.getByText(`in the client as ${userId}`);
    await state.waitFor();
    return (await state.textContent())?.split(' ').at(-1) ?? '';
  }

  async function signIn(bob: TwoFactorUser): Promise<string> {
    await comeWithPassword(bob);
    await page.getByLabel('Authentication code').fill(app().code(bob));
    await page.keyboard.press('Enter');
    return goOn(bob.userId);
  }

  /** The page that the client opens for a guarded request, taken through; it closes itself. */
  async function proveInPopup(bob: TwoFactorUser, button: string, consequence: string): Promise<void> {
    const opened = page.waitForEvent('popup');
    await press(page, button);
    const popup = await opened;
    await popup.getByText(consequence, { exact: true }).waitFor();
    await popup.getByLabel('Authentication code').fill(app().code(bob));
    await popup.keyboard.press('Enter');
    await popup.getByText(`Enter the password of ${bob.userId}.`).waitFor();
    await popup.locator('#password:focus').waitFor();
    const closed = popup.waitForEvent('close');
    await popup.keyboard.type(bob.password);
    await popup.keyboard.press('Enter');
    await closed;
  }

  test('the phone is lost: back in by the sign-in page, on to the account page, and the phone is replaced', async () => {
    const bob = await app().user();
    const onThePhone = signedIn(await app().login(bob, bob.password));
    const account = new AccountPerson(page, app().clock, bob.name, bob.password);
    await page.goto(`${app().url}/_2fa/account`);
    await account.givePassword();
    const { secret: lost, codes } = await account.turnOn();
    await account.press('Sign out');

    await comeWithPassword(bob);
    await page.getByText('Use a recovery code instead').click();
    await page.getByLabel('Recovery code').fill(codes[0] ?? '');
    await page.keyboard.press('Enter');
    await page.getByText('You used a recovery code. 9 are left.').waitFor();
    // The page offers to replace the phone at once (test/browser/sign_in). Here it is done later, on the account page.
    const beside = await page.context().newPage();
    await beside.goto(new URL('/_2fa/account', page.url()).href);
    const device = await goOn(bob.userId);

    const there = new AccountPerson(beside, app().clock, bob.name, bob.password);
    await there.enterWithRecoveryCode(codes[1]);
    const found = await there.replaceThePhone();
    await there.press('Sign out all other devices');
    await there.prove(undefined, 'Sign out');
    await beside.getByText('No other device is signed in.').waitFor();
    expect(await app().whoami(onThePhone.token)).toBe(401);
    await there.press('Sign out');
    await beside.getByText('You are signed out.').waitFor();

    await comeWithPassword(bob);
    await page.getByLabel('Authentication code').fill(there.phoneCode(lost));
    await page.keyboard.press('Enter');
    await page.getByText('That code is incorrect or was already used.').waitFor();
    await page.getByLabel('Authentication code').fill(there.phoneCode(found));
    await page.keyboard.press('Enter');
    expect(await goOn(bob.userId)).toBe(device);
  });

  test('delete_devices: the popup asks for code and password, and the client’s session alone does the rest', async () => {
    const bob = await app().enrolledUser();
    const device = await signIn(bob);
    const other = await app().login(bob, `${bob.password} ${app().code(bob)}`, { device_id: 'OTHER' });
    await proveInPopup(bob, 'Remove the other session', 'sign out 1 device');
    await page.getByText('removed: 200').waitFor();
    expect(await app().whoami(String(other.json.access_token))).toBe(401);
    await app().proxy.keepHouse();
    const { json } = await app().direct({ target: `${CLIENT}/devices`, token: bob.token });
    const left = (json.devices as { device_id: string }[]).map(({ device_id }) => device_id);
    expect(left.sort()).toEqual([bob.deviceId, device].sort());
  });

  test('account/password: the new password is Synapse’s afterwards, and wants a code as before', async () => {
    const bob = await app().enrolledUser();
    await signIn(bob);
    await proveInPopup(bob, 'Change the password', 'change your password');
    await page.getByText('changed: 200').waitFor();
    expect((await app().login(bob, `${bob.password} ${app().code(bob)}`)).status).toBe(403);
    expect((await app().login(bob, 'brand new password')).status).toBe(401);
    expect((await app().login(bob, `brand new password ${app().code(bob)}`)).status).toBe(200);
  });

  test('account/deactivate: the popup says what it is, and the account is gone', async () => {
    const bob = await app().enrolledUser();
    await signIn(bob);
    await proveInPopup(bob, 'Deactivate the account', 'permanently deactivate your account');
    await page.getByText('deactivated: 200').waitFor();
    expect(await app().whoami(bob.token)).toBe(401);
  });
}
