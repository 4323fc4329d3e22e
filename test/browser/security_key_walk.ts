import { expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { press } from '../support/browser.ts';
import type { RealApp, RealUser } from '../support/real_app.ts';
import { signedIn } from '../support/real_app.ts';
import { SecurityKey } from '../support/security_key.ts';
import { AccountPerson } from './account_person.ts';

/** Where the person finds the server and the client. */
interface Places {
  readonly account: string;
  readonly client: string;
}

/**
 * Somebody has a security key that can only be touched, and nothing else: they turn 2FA on with it, make a device password for a bot, sign in to a
 * client that knows no passkeys, remove a device there, lose the key, and come back with a recovery code.
 */
export async function liveWithASecurityKey(app: RealApp, page: Page, places: Places): Promise<void> {
  const bob = await app.user();
  const other = signedIn(await app.login(bob, bob.password, { device_id: 'OTHER' })).token;
  const person = new AccountPerson(page, app.clock, bob.name, bob.password);
  const key = await SecurityKey.plugInto(page, { hasUserVerification: false });

  await page.goto(places.account);
  await person.givePassword();
  await person.press('Turn on two-factor authentication');
  const codes = await setUpAKey(person);
  await page.getByText('Passkey or security key · Added').waitFor();

  const bot = await makeDevicePassword(app, bob, person);
  await person.press('Sign out');
  await page.getByText('You are signed out.').waitFor();

  await signInToTheClient(page, bob, places.client);
  await removeTheOtherDevice(page, bob, key);
  expect([await app.whoami(other), await app.whoami(bot)]).toEqual([401, 200]);

  await key.remove();
  await SecurityKey.plugInto(page);
  await page.goto(places.account);
  await person.givePassword();
  await giveRecoveryCode(page, codes[0] ?? '');
  await page.getByText('You signed in with a recovery code; 9 are left.').waitFor();
  await person.press('Set up a new authenticator');
  await setUpAKey(person);
  await page.getByText('Authenticator replaced. The old one no longer works.').waitFor();
  await person.press('Sign out');
  await person.givePassword();
  await usePasskey(page);
  await person.heading('Two-factor authentication is on').waitFor();
  expect(await app.whoami(bot)).toBe(200);
}

/** From the dialog to the saved recovery codes. */
export async function setUpAKey(person: AccountPerson): Promise<string[]> {
  await person.dialog().getByLabel('Passkey or security key').check();
  await person.prove(undefined, 'Continue');
  await person.dialog().waitFor({ state: 'detached' });
  await person.press('Continue');
  await person.heading('Save your recovery codes').waitFor();
  const codes = await person.shownCodes();
  await person.page.getByLabel('I have saved these codes').check();
  await person.press('Done');
  await person.heading('Two-factor authentication is on').waitFor();
  return codes;
}

/** Answers the token of the bot that signs in with it. */
async function makeDevicePassword(app: RealApp, bob: RealUser, person: AccountPerson): Promise<string> {
  await person.press('Create a device password');
  await person.dialog().getByLabel('Name of the app').fill('Weather bot');
  await person.prove(undefined, 'Continue');
  const secret = (await person.page.locator('code.secret').textContent()) ?? '';
  await person.press('Done');
  return signedIn(await app.login(bob, secret)).token;
}

async function signInToTheClient(page: Page, { name, password, userId }: RealUser, client: string) {
  await page.goto(client);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByLabel('Username').fill(name);
  await page.getByLabel('Password', { exact: true }).fill(password);
  await page.keyboard.press('Enter');
  await usePasskey(page);
  await page.getByRole('heading', { name: 'Continue to ' }).waitFor();
  await press(page, 'Continue');
  await page.getByText(`in the client as ${userId}`).waitFor();
}

/** By the page that the client opens. */
async function removeTheOtherDevice(page: Page, { userId, password }: RealUser, key: SecurityKey) {
  const opened = page.waitForEvent('popup');
  await page.getByRole('button', { name: 'Remove the other session' }).click();
  const popup = await opened;
  await popup.getByText('sign out 1 device', { exact: true }).waitFor();
  await key.moveTo(popup);
  await usePasskey(popup);
  await popup.getByText(`Enter the password of ${userId}.`).waitFor();
  await popup.locator('#password:focus').waitFor();
  await key.moveTo(page);
  const closed = popup.waitForEvent('close');
  await popup.keyboard.type(password);
  await popup.keyboard.press('Enter');
  await closed;
  await page.getByText('removed: 200').waitFor();
}

async function usePasskey(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Use a passkey or security key' }).click();
}

async function giveRecoveryCode(page: Page, code: string): Promise<void> {
  await page.getByLabel('Recovery code', { exact: true }).fill(code);
  await page.keyboard.press('Enter');
}
