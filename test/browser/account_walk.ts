import { readFileSync } from 'node:fs';
import { expect } from '@jest/globals';
import type { AccountPerson } from './account_person.ts';

/**
 * Somebody who has never seen the page turns 2FA on, signs out, loses the phone, gets back in with a recovery
 * code and replaces the phone, guided by the page alone.
 *
 * @param lookAt called at every stop with its name
 */
export async function loseAndReplaceThePhone(
  person: AccountPerson,
  lookAt: (name: string) => Promise<void>,
): Promise<void> {
  const { page } = person;
  // A user who sees the page for the first time reads how to get back in before they turn anything on.
  await lookAt('1-sign-in');
  await person.givePassword();
  await page.getByText('One recovery code is enough.').waitFor();
  await lookAt('2-off');

  // Turned on in three steps.
  await person.press('Turn on two-factor authentication');
  await lookAt('3-proof');
  await person.prove(undefined, 'Continue');
  await person.heading('Scan the QR code').waitFor();
  await page.getByText("Can't scan it?").click();
  await lookAt('4-scan');
  const oldSecret = await person.secretOnPage();
  expect((await page.locator('.key').textContent())?.replaceAll(' ', '')).toBe(oldSecret);
  await person.press('Continue');
  await lookAt('5-confirm');
  await person.verify(person.phoneCode(oldSecret));
  await person.heading('Save your recovery codes').waitFor();
  await lookAt('6-codes');
  const codes = await person.shownCodes();
  expect(codes).toHaveLength(10);
  expect(codes[0]).toMatch(/^[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}$/);
  const [download] = await Promise.all([page.waitForEvent('download'), person.press('Download')]);
  const file = readFileSync((await download.path()) ?? '', 'utf8');
  for (const code of codes) expect(file).toContain(code);
  expect(await page.getByRole('button', { name: 'Downloaded' }).isDisabled()).toBe(true);
  await person.press('Done');
  await page.getByText('Save the codes, then tick the box.').waitFor();
  await page.getByLabel('I have saved these codes').check();
  await person.press('Done');
  await person.heading('Two-factor authentication is on').waitFor();
  await lookAt('7-on');
  expect(await page.content()).not.toContain(codes[0] ?? 'no code');

  // The phone is lost: in with password and recovery code.
  await person.press('Sign out');
  await page.getByText('You are signed out.').waitFor();
  await person.givePassword();
  await lookAt('8-code');
  expect(await page.content()).not.toMatch(/\b(10|nine|9) (of|codes|are)/);
  await person.useRecoveryCode((codes[0] ?? '').toUpperCase().replaceAll('-', ' '));
  await page.getByText('You signed in with a recovery code; 9 are left.').waitFor();
  await lookAt('9-recovered');

  // The lost phone is replaced, without a further code.
  await person.press('Set up a new authenticator');
  await person.prove(undefined, 'Continue');
  await person.heading('Scan the QR code').waitFor();
  const newSecret = await person.secretOnPage();
  await person.press('Continue');
  await person.verify(person.phoneCode(newSecret), 'New phone');
  await person.heading('Save your recovery codes').waitFor();
  expect(await person.shownCodes()).not.toContain(codes[2]);
  await page.getByLabel('I have saved these codes').check();
  await person.press('Done');
  await person.heading('Two-factor authentication is on').waitFor();
  await page.getByText('Authenticator replaced. The old one no longer works.').waitFor();
  await lookAt('10-replaced');

  // Only the new phone lets in now.
  await person.press('Sign out');
  await person.givePassword();
  await person.giveCode(person.phoneCode(oldSecret));
  await page.getByText('That code is incorrect or was already used.').waitFor();
  await person.giveCode(person.phoneCode(newSecret));
  await page.getByText('New phone', { exact: true }).waitFor();
  expect(await page.getByText('Authenticator app', { exact: true }).count()).toBe(0);
}
