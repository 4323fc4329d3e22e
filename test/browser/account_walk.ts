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
  await person.heading('What if I lose my phone?').waitFor();
  await lookAt('2-off');

  // Turned on in three steps.
  await person.press('Turn on two-factor authentication');
  await lookAt('3-proof');
  await person.prove(undefined, 'Next');
  await person.heading('Scan this picture').waitFor();
  await page.getByText('You cannot scan it?').click();
  await lookAt('4-scan');
  const oldSecret = await person.secretOnPage();
  expect((await page.locator('.secret').textContent())?.replaceAll(' ', '')).toBe(oldSecret);
  await person.press('Next');
  await lookAt('5-confirm');
  await page.getByLabel('Code').fill(person.phoneCode(oldSecret));
  await person.heading('Save your recovery codes').waitFor();
  await lookAt('6-codes');
  const codes = await person.shownCodes();
  expect(codes).toHaveLength(10);
  expect(codes[0]).toMatch(/^[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}$/);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    person.press('Download as text file'),
  ]);
  const file = readFileSync((await download.path()) ?? '', 'utf8');
  for (const code of codes) expect(file).toContain(code);
  expect(await page.getByRole('button', { name: 'Downloaded' }).isDisabled()).toBe(true);
  await person.press('Finish');
  await page.getByText('Please save the codes first').waitFor();
  await page.getByLabel('I have saved these codes').check();
  await person.press('Finish');
  await page.getByText('From now on a code is needed to sign in.').waitFor();
  await lookAt('7-on');
  expect(await page.content()).not.toContain(codes[0] ?? 'no code');

  // The phone is lost: in with password and recovery code.
  await person.press('Sign out');
  await page.getByText('You are signed out.').waitFor();
  await person.givePassword();
  await lookAt('8-code');
  expect(await page.content()).not.toMatch(/\b(10|nine|9) (of|codes|are)/);
  await person.useRecoveryCode((codes[0] ?? '').toUpperCase().replaceAll('-', ' '));
  await page.getByText('It is used up; 9 are left.').waitFor();
  await lookAt('9-recovered');

  // The lost phone is replaced, without a further code.
  await person.press('Replace the authenticator');
  await person.dialog().getByLabel('Name').fill('New phone');
  await person.prove(undefined, 'Next');
  await person.heading('Scan this picture').waitFor();
  const newSecret = await person.secretOnPage();
  await person.press('Next');
  await page.getByLabel('Code').fill(person.phoneCode(newSecret));
  await person.heading('Save your recovery codes').waitFor();
  expect(await person.shownCodes()).not.toContain(codes[2]);
  await page.getByLabel('I have saved these codes').check();
  await person.press('Finish');
  await page.getByText('The authenticator is replaced.').waitFor();
  await lookAt('10-replaced');

  // Only the new phone lets in now.
  await person.press('Sign out');
  await person.givePassword();
  const code = page.getByLabel('Code', { exact: true });
  await code.fill(person.phoneCode(oldSecret));
  await person.press('Confirm');
  await page.getByText('The code is not right').waitFor();
  await code.fill(person.phoneCode(newSecret));
  await person.press('Confirm');
  await page.getByText('New phone', { exact: true }).waitFor();
  expect(await page.getByText('Phone', { exact: true }).count()).toBe(0);
}
