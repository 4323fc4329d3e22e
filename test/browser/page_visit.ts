import type { Page } from 'playwright-core';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import type { ClientPage } from '../support/client_page.ts';
import type { Enrolled } from '../support/enrolment.ts';

export const PASSWORD = 'correct horse battery staple';
const STEP_MS = 30_000;

/** Those who sign in: by name, with 2FA on or not. */
export type Users = Readonly<Record<string, Enrolled | undefined>>;

/**
 * A visit to the pages, in whatever language: fields are found by what browsers fill into them, never by their labels.
 */
export class PageVisit {
  constructor(
    readonly page: Page,
    private readonly app: TestApp,
    private readonly client: ClientPage,
    private readonly users: Users,
  ) {}

  async open(path: string): Promise<void> {
    await this.page.goto(`${this.app.url}${path}`);
  }

  /** As a client leads to it. */
  openSignIn(): Promise<void> {
    const back = encodeURIComponent(this.client.url);
    return this.open(`/_matrix/client/v3/login/sso/redirect?redirectUrl=${back}`);
  }

  async givePassword(name: string, password = PASSWORD): Promise<void> {
    await this.fill('username', name);
    await this.fill('current-password', password);
    await this.page.keyboard.press('Enter');
    await this.page.waitForLoadState('networkidle');
  }

  async giveCode(code: string): Promise<void> {
    await this.fill('one-time-code', code);
    await this.page.keyboard.press('Enter');
    await this.page.waitForLoadState('networkidle');
  }

  /** A code that was not used: the clock moves on. */
  freshCode(name: string): string {
    this.app.clock.advance(STEP_MS);
    return this.app.code(this.enrolled(name));
  }

  wrongCode(name: string): string {
    return this.app.wrongCode(this.enrolled(name));
  }

  /** Where a client leads for a stage that it does not know: somebody removes a device. */
  async openFallback(name: string): Promise<void> {
    const challenge = await this.app.post(LOGIN, passwordLogin(name, PASSWORD));
    const auth = { type: 'm.login.2fa.totp', session: String(challenge.json.session) };
    const login = await this.app.post(LOGIN, { auth: { ...auth, token: this.freshCode(name) } });
    const remove = { devices: ['ELSEWHERE'] };
    const path = '/_matrix/client/v3/delete_devices';
    const guarded = await this.app.post(path, remove, String(login.json.access_token));
    const session = encodeURIComponent(String(guarded.json.session));
    await this.open(`/_matrix/client/v3/auth/m.login.2fa.totp/fallback/web?session=${session}`);
  }

  private async fill(autocomplete: string, text: string): Promise<void> {
    await this.page.locator(`input[autocomplete="${autocomplete}"]:visible`).first().fill(text);
  }

  private enrolled(name: string): Enrolled {
    const enrolled = this.users[name];
    if (enrolled === undefined) throw new Error(`${name} has no second factor`);
    return enrolled;
  }
}
