import { expect } from '@jest/globals';
import { NodeCryptoPlugin } from '@otplib/plugin-crypto-node';
import { generateSync } from 'otplib';
import type { Locator, Page } from 'playwright-core';
import type { ManualClock } from '../support/manual_clock.ts';

const STEP_MS = 30_000;
const crypto = new NodeCryptoPlugin();

/** Someone at the account page who knows their name and password and reads English. */
export class AccountPerson {
  constructor(
    readonly page: Page,
    private readonly clock: ManualClock,
    private readonly name: string,
    private readonly password: string,
  ) {}

  async press(name: string): Promise<void> {
    await this.page.getByRole('button', { name, exact: true }).click();
  }

  heading(name: string): Locator {
    return this.page.getByRole('heading', { name });
  }

  dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  async givePassword(): Promise<void> {
    await this.page.getByLabel('Username').fill(this.name);
    await this.page.getByLabel('Password').fill(this.password);
    await this.press('Continue');
  }

  async signIn(code: string): Promise<void> {
    await this.givePassword();
    await this.giveCode(code);
    await this.heading('Signed-in devices').waitFor();
  }

  /** On the page that asks for a code. */
  async giveCode(code: string): Promise<void> {
    await this.page.getByLabel('Authentication code', { exact: true }).fill(code);
    await this.press('Verify');
  }

  /** Signs in with a recovery code, as it is read from paper. */
  async enterWithRecoveryCode(code = ''): Promise<void> {
    await this.givePassword();
    await this.useRecoveryCode(code);
    await this.page.getByText(/You signed in with a recovery code/).waitFor();
  }

  /** On the page that asks for a code. */
  async useRecoveryCode(code: string): Promise<void> {
    await this.page.getByText('Use a recovery code instead').click();
    const field = this.page.getByLabel('Recovery code', { exact: true });
    await field.fill(code);
    await field.press('Enter');
  }

  /** Turns 2FA on without looking around. */
  async turnOn(): Promise<{ secret: string; codes: string[] }> {
    await this.press('Turn on two-factor authentication');
    await this.prove(undefined, 'Continue');
    const set = await this.setUpApp();
    await this.heading('Two-factor authentication is on').waitFor();
    return set;
  }

  /** Puts a new phone in the place of the only one. Answers its secret. */
  async replaceThePhone(): Promise<string> {
    await this.press('Set up a new authenticator');
    await this.prove(undefined, 'Continue');
    const { secret } = await this.setUpApp('New phone');
    await this.heading('Two-factor authentication is on').waitFor();
    return secret;
  }

  /** From the picture to the saved recovery codes. */
  async setUpApp(name = ''): Promise<{ secret: string; codes: string[] }> {
    await this.heading('Scan the QR code').waitFor();
    const secret = await this.secretOnPage();
    await this.press('Continue');
    await this.verify(this.phoneCode(secret), name);
    await this.heading('Save your recovery codes').waitFor();
    const codes = await this.shownCodes();
    await this.page.getByLabel('I have saved these codes').check();
    await this.press('Done');
    return { secret, codes };
  }

  /** Gives the first code of an app, and the app a name. */
  async verify(code: string, name = ''): Promise<void> {
    await this.page.getByLabel('Authentication code', { exact: true }).fill(code);
    await this.page.getByLabel('Name this device').fill(name);
    await this.press('Verify');
  }

  /** Fills the dialog that asks for the proof. `code` is undefined where it asks for none, or has it already. */
  async prove(code: string | undefined, button: string): Promise<void> {
    if (code !== undefined) await this.dialog().getByLabel('Authentication code').fill(code);
    await this.dialog().getByLabel('Password').fill(this.password);
    await this.dialog().getByRole('button', { name: button, exact: true }).click();
  }

  /** What a phone shows that was set up with `secret` (base32), one step later than anything before. */
  phoneCode(secret: string): string {
    this.clock.advance(STEP_MS);
    return generateSync({ secret, crypto, epoch: Math.floor(this.clock.now() / 1000) });
  }

  /** The secret on the page of step 1. */
  async secretOnPage(): Promise<string> {
    const link = this.page.getByRole('link', { name: 'Open authenticator app' });
    return new URL((await link.getAttribute('href')) ?? '').searchParams.get('secret') ?? '';
  }

  async shownCodes(): Promise<string[]> {
    const list = this.page.getByRole('list', { name: 'Recovery codes' });
    return list.getByRole('listitem').allTextContents();
  }

  /** Checks that focus is on a field that says what is wrong, and that what was typed is still there. */
  async expectFailed(field: Locator, typed: string, text: RegExp): Promise<void> {
    await this.page.getByText(text).waitFor();
    await field.and(this.page.locator(':focus')).waitFor();
    expect(await field.inputValue()).toBe(typed);
    expect(await field.getAttribute('aria-invalid')).toBe('true');
    const described = (await field.getAttribute('aria-describedby')) ?? '';
    const problem = this.page.locator(`#${described.split(' ').at(-1)}`);
    expect(await problem.textContent()).toMatch(text);
  }
}
