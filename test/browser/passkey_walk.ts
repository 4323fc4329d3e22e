import { expect } from '@jest/globals';
import type { Page } from 'playwright-core';
import { press } from '../support/browser.ts';
import type { RealApp } from '../support/real_app.ts';
import { offerNothingInFields } from '../support/security_key.ts';
import { AccountPerson } from './account_person.ts';
import { setUpAKey } from './security_key_walk.ts';

/** Where the person finds the server and the client. */
interface Places {
  readonly account: string;
  readonly client: string;
}

/** Somebody turns 2FA on with the passkey of their device, and types neither name nor password from then on. */
export async function signInWithAPasskeyAlone(app: RealApp, page: Page, places: Places): Promise<void> {
  const carol = await app.user();
  const person = new AccountPerson(page, app.clock, carol.name, carol.password);
  await offerNothingInFields(page);
  const cdp = await page.context().newCDPSession(page);
  await cdp.send('WebAuthn.enable');
  const options = { protocol: 'ctap2', transport: 'internal', hasResidentKey: true } as const;
  const verified = { hasUserVerification: true, isUserVerified: true, automaticPresenceSimulation: true };
  await cdp.send('WebAuthn.addVirtualAuthenticator', { options: { ...options, ...verified } });

  await page.goto(places.account);
  await person.givePassword();
  await person.press('Turn on two-factor authentication');
  await setUpAKey(person);
  await person.press('Sign out');
  await page.getByText('You are signed out.').waitFor();

  await page.goto(places.client);
  await page.getByRole('button', { name: 'Sign in', exact: true }).click();
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await page.getByText(`You are signed in as ${carol.userId}.`).waitFor();
  await press(page, 'Continue');
  await page.getByText(`in the client as ${carol.userId}`).waitFor();
  const token = String(await page.evaluate("JSON.parse(sessionStorage.getItem('session')).access_token"));
  expect(await app.whoami(token)).toBe(200);

  await page.goto(places.account);
  await page.getByRole('button', { name: 'Sign in with a passkey' }).click();
  await person.heading('Two-factor authentication is on').waitFor();
}
