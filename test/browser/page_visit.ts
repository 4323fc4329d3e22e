import type { BrowserContext, Page } from 'playwright-core';
import type { Html } from '../../src/pages/shell/html.ts';
import type { TextKey } from '../../src/pages/texts/keys.ts';
import { pageTexts } from '../../src/pages/texts/own_texts.ts';
import { fill, type Say } from '../../src/pages/texts/texts.ts';
import { seedIn } from '../account/account.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import type { ClientPage } from '../support/client_page.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';

export const PASSWORD = 'correct horse battery staple';
const STEP_MS = 30_000;
const TEXTS = pageTexts({ texts: [], german: 'du', language: 'en' });

/** Those who sign in: by name, with 2FA on or not. */
export type Users = Readonly<Record<string, Enrolled | undefined>>;

/** A state of a page that people see. */
export interface PageState {
  /** Of its pictures. */
  readonly name: string;
  readonly says: string;
  /** It is also looked at enlarged and in forced colours. */
  readonly isMain?: boolean;
  readonly reach: (visit: PageVisit) => Promise<void>;
}

/** What all visits of a test have in common. */
export interface Scene {
  readonly app: TestApp;
  readonly client: ClientPage;
  readonly users: Users;
  /** The cookies of account pages that are signed in, by user. */
  readonly signedIn: Map<string, Awaited<ReturnType<BrowserContext['cookies']>>>;
  /** How many recovery codes of a user were used. */
  readonly usedCodes: Map<string, number>;
}

/**
 * A visit to the pages, in whatever language: fields are found by what browsers fill into them, buttons by the keys of
 * their texts.
 */
export class PageVisit {
  constructor(
    readonly page: Page,
    readonly scene: Scene,
    private readonly language: string,
  ) {}

  async open(path: string): Promise<void> {
    await this.page.goto(`${this.scene.app.url}${path}`);
  }

  /** As browsers show it in which scripts are turned off. What axe looks at a copy of is in no `noscript`. */
  async openWithoutScript(path: string): Promise<void> {
    const tools = await this.page.context().newCDPSession(this.page);
    await tools.send('Emulation.setScriptExecutionDisabled', { value: true });
    await this.open(path);
    await tools.send('Emulation.setScriptExecutionDisabled', { value: false });
    await this.page.evaluate(
      `for (const each of document.querySelectorAll('noscript')) each.replaceWith(...each.childNodes)`,
    );
  }

  /** What a view draws, in the frame of an error page: states that would take servers and time to reach. */
  async draw(view: (say: Say) => Html): Promise<void> {
    await this.open('/_2fa/login');
    const markup = JSON.stringify(view(TEXTS.in(this.language)).toString());
    await this.page.evaluate(`document.querySelector('main').innerHTML = ${markup}`);
  }

  /** Waits until the page has what it shows: its heading, and each part that is loaded late. */
  async settled(): Promise<void> {
    await this.page.locator('h1').first().waitFor({ state: 'attached' });
    const loading = this.text('account.loading');
    await this.page.getByText(loading).first().waitFor({ state: 'detached' });
  }

  /** As a client leads to it. */
  openSignIn(): Promise<void> {
    const back = encodeURIComponent(this.scene.client.url);
    return this.open(`/_matrix/client/v3/login/sso/redirect?redirectUrl=${back}`);
  }

  async givePassword(name: string, password = PASSWORD): Promise<void> {
    await this.fill('username', name);
    await this.fill('current-password', password);
    await this.enter();
  }

  async giveCurrentPassword(password: string): Promise<void> {
    await this.fill('current-password', password);
    await this.enter();
  }

  async giveCode(code: string): Promise<void> {
    await this.fill('one-time-code', code);
    await this.enter();
  }

  /** The page as it is when the server has taken the form. */
  async enter(): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.page.keyboard.press('Enter');
    await loaded;
  }

  /** The account page of a user with 2FA: the first visit signs in, the others come with its cookie. */
  async openAccountOn(name: string): Promise<void> {
    const context = this.page.context();
    const cookies = this.scene.signedIn.get(name);
    if (cookies !== undefined) {
      await context.addCookies(cookies);
      await this.open('/_2fa/account');
      return;
    }
    await this.open('/_2fa/account');
    await this.givePassword(name);
    await this.giveCode(this.freshCode(name));
    this.scene.signedIn.set(name, await context.cookies());
  }

  async openRecoveryField(): Promise<void> {
    await this.page.locator('summary').first().click();
  }

  async giveRecoveryCode(code: string): Promise<void> {
    await this.openRecoveryField();
    await this.page.locator('input[name="recovery_code"]').fill(code);
    await this.enter();
  }

  /** The next one: a code works once. */
  recoveryCode(name: string): string {
    const { usedCodes } = this.scene;
    const used = usedCodes.get(name) ?? 0;
    usedCodes.set(name, used + 1);
    return this.enrolled(name).recoveryCodes[used] ?? '';
  }

  /** Another one for each language. */
  onceForEach([english, german]: readonly [string, string]): string {
    return this.language === 'de' ? german : english;
  }

  async press(key: TextKey, places: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.page
      .getByRole('button', { name: fill(this.text(key), places), exact: true })
      .first()
      .click();
  }

  /** A button or a link that leads to another page. */
  async pressToNext(key: TextKey): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.press(key);
    await loaded;
  }

  async follow(key: TextKey): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.page.getByRole('link', { name: this.text(key) }).click();
    await loaded;
  }

  /** Sends what a browser would have answered. */
  async sendCredential(credential: string): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    await this.page.locator('input[name="credential"]').evaluate((field, sent) => {
      Object.assign(field, { value: sent }).form.requestSubmit();
    }, credential);
    await loaded;
  }

  /** The code of the key that the page shows. */
  async codeOfShownKey(): Promise<string> {
    const shown = (await this.page.locator('code.secret').textContent()) ?? '';
    return codeAt(seedIn(shown.replaceAll(' ', '')), this.scene.app.clock.now());
  }

  /** Through the homeserver's single sign-on, whose way back leads to the address that browsers see. */
  async comeFromProvider(): Promise<void> {
    const { app, client } = this.scene;
    const { request } = this.page.context();
    let address = `${app.url}/_matrix/client/v3/login/sso/redirect/oidc?redirectUrl=${encodeURIComponent(client.url)}`;
    for (let time = 0; time < 2; time++) {
      const answer = await request.get(address, {
        maxRedirects: 0,
        headers: { 'accept-language': this.language },
      });
      address = answer.headers().location ?? '';
    }
    const { pathname, search } = new URL(address);
    await this.open(pathname + search);
  }

  failNext(pattern: string, status: number, errcode = 'M_LIMIT_EXCEEDED'): void {
    const body = { errcode, error: 'later', retry_after_ms: 120_000 };
    this.scene.app.stub.failNext(pattern, { status, body });
  }

  async turnOff(name: string): Promise<void> {
    await this.scene.app.storage.factors.removeAllFactors(this.enrolled(name).userId);
  }

  /** Time goes by. */
  wait(ms: number): void {
    this.scene.app.clock.advance(ms);
  }

  /** Where the page awaits nothing of the server, and no other page. */
  async fillDialog(code?: string): Promise<void> {
    await this.page.getByRole('dialog').waitFor();
    if (code !== undefined) await this.fill('one-time-code', code);
    await this.fill('current-password', PASSWORD);
    await this.page.keyboard.press('Enter');
    await this.page.getByRole('dialog').waitFor({ state: 'detached' });
  }

  /** What each part of the account page is told by the server, in place of the truth. */
  async answerParts(status: number, body: object): Promise<void> {
    for (const part of ['**/v3/devices', '**/history', '**/v3/account/two-factor'])
      await this.page.route(part, (route) => route.fulfill({ status, json: body }));
  }

  /** A code that was not used: the clock moves on. */
  freshCode(name: string): string {
    this.scene.app.clock.advance(STEP_MS);
    return this.scene.app.code(this.enrolled(name));
  }

  wrongCode(name: string): string {
    return this.scene.app.wrongCode(this.enrolled(name));
  }

  /** Where a client leads for a stage that it does not know: somebody removes a device. */
  async openFallback(name: string): Promise<void> {
    const named = { initial_device_display_name: 'Pixel 9' };
    const challenge = await this.scene.app.post(LOGIN, passwordLogin(name, PASSWORD, named));
    const auth = { type: 'm.login.2fa.totp', session: String(challenge.json.session) };
    const login = await this.scene.app.post(LOGIN, { auth: { ...auth, token: this.freshCode(name) } });
    const remove = { devices: ['ELSEWHERE'] };
    const path = '/_matrix/client/v3/delete_devices';
    const guarded = await this.scene.app.post(path, remove, String(login.json.access_token));
    const session = encodeURIComponent(String(guarded.json.session));
    await this.open(`/_matrix/client/v3/auth/m.login.sso/fallback/web?session=${session}`);
  }

  private text(key: TextKey): string {
    return TEXTS.in(this.language).texts[key];
  }

  private async fill(autocomplete: string, text: string): Promise<void> {
    await this.page.locator(`input[autocomplete="${autocomplete}"]:visible`).first().fill(text);
  }

  private enrolled(name: string): Enrolled {
    const enrolled = this.scene.users[name];
    if (enrolled === undefined) throw new Error(`${name} has no second factor`);
    return enrolled;
  }
}
