import type { BrowserContext, Locator, Page } from 'playwright-core';
import type { JsonObject } from '../../src/matrix/wire.ts';
import type { TextKey } from '../../src/pages/texts/keys.ts';
import { LANGUAGE_COOKIE } from '../../src/pages/texts/language.ts';
import { fill, type PageTexts } from '../../src/pages/texts/texts.ts';
import { seedIn } from '../account/account.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { untilSo } from '../support/browser.ts';
import type { ClientPage } from '../support/client_page.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';
import { type PasskeyUser, TWO_FACTOR } from '../support/passkey_user.ts';
import { PageAnswers } from './page_answers.ts';

export const PASSWORD = 'correct horse battery staple';
const STEP_MS = 30_000;

/** The shape of a browser's answer for a passkey, with nothing in it that could be right. */
const WRONG_ASSERTION = {
  ...{ id: 'AAAA', rawId: 'AAAA', type: 'public-key' },
  response: { clientDataJSON: 'AAAA', authenticatorData: 'AAAA', signature: 'AAAA' },
};
/** The same for a new one. */
const WRONG_ATTESTATION = {
  ...WRONG_ASSERTION,
  response: { clientDataJSON: 'AAAA', attestationObject: 'AAAA', transports: [] },
};

/** Those who sign in: by name, with 2FA on or not. */
export type Users = Readonly<Record<string, Enrolled | undefined>>;

/** A state of a page that people see. */
export interface PageState {
  /** Of its pictures. */
  readonly name: string;
  readonly says: string;
  /** It is also photographed enlarged and in forced colours. */
  readonly isMain?: boolean;
  /** From the state before it on. */
  readonly reach: (visit: PageVisit) => Promise<void>;
  /** A reload does not show it again: scripts have drawn it, or it was the answer to a form. */
  readonly isOnce?: boolean;
  /** A part of it is still awaited. */
  readonly isLoading?: boolean;
}

/** States of one browser, each reached from the one before it. */
export type PageWalk = readonly PageState[];

/** What all visits of a test have in common. */
export interface Scene {
  readonly app: TestApp;
  /** What its pages say. */
  readonly texts: PageTexts;
  /** The same with all that operators can have otherwise: their look, their contact, what they do not take. */
  readonly branded: TestApp;
  /** The same where few wrong passwords are taken, and no one is told of a recovery. */
  readonly strict: TestApp;
  /** The same where everybody is told of a recovery. */
  readonly telling: TestApp;
  /** Whom the homeserver's provider takes its visitors for. */
  readonly sso: { signedInAs: string };
  /** A user whose only factor is a passkey. */
  readonly frank: PasskeyUser;
  readonly client: ClientPage;
  readonly users: Users;
  /** The cookies of account pages that are signed in, by user. */
  readonly signedIn: Map<string, Awaited<ReturnType<BrowserContext['cookies']>>>;
  /** How many recovery codes of a user were used. */
  readonly usedCodes: Map<string, number>;
  /** What pages have shown once and another state needs. */
  readonly noted: Map<string, string>;
}

/** What an app asks for, and the owner of the account has to approve. */
interface GuardedAct {
  readonly method: string;
  readonly target: string;
  readonly json: JsonObject;
}

/**
 * A visit to the pages, in whatever language: fields are found by what browsers fill into them, buttons by the keys of
 * their texts.
 */
export class PageVisit {
  private language = 'en';
  /** Of the device that opened the last fallback page. */
  private token = '';
  /** What the page is told in place of the truth. */
  readonly answers: PageAnswers;

  constructor(
    readonly page: Page,
    readonly scene: Scene,
  ) {
    this.answers = new PageAnswers(page);
  }

  /** The language of all pages from now on, as the links of their footer choose it. */
  async choose(language: string): Promise<void> {
    this.language = language;
    const { url } = this.scene.app;
    await this.page.context().addCookies([{ name: LANGUAGE_COOKIE, value: language, url }]);
  }

  async open(path: string): Promise<void> {
    await this.page.goto(`${this.scene.app.url}${path}`);
  }

  /** On another process, by another configuration. */
  async openOn({ url }: TestApp, path: string): Promise<void> {
    await this.page.goto(`${url}${path}`);
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

  /** Waits until the page has what it shows: its heading, and each part that is loaded late. */
  async settled({ isLoading = false }: Pick<PageState, 'isLoading'>): Promise<void> {
    await this.page.locator('h1').first().waitFor({ state: 'attached' });
    const loading = this.page.getByText(this.words('account.loading'));
    if (!isLoading) return loading.first().waitFor({ state: 'detached' });
    // The others have come.
    const text = JSON.stringify(this.words('account.loading'));
    await untilSo(this.page, `document.body.innerText.split(${text}).length === 2`);
  }

  /** As a client leads to it. */
  openSignIn(): Promise<void> {
    const back = encodeURIComponent(this.scene.client.url);
    return this.open(`/_matrix/client/v3/login/sso/redirect?redirectUrl=${back}`);
  }

  async typeName(name: string): Promise<void> {
    await this.fill('username', name);
  }

  async givePassword(name: string, password = PASSWORD): Promise<void> {
    await this.typeName(name);
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
    const kept = (await context.cookies()).filter((cookie) => cookie.name !== LANGUAGE_COOKIE);
    this.scene.signedIn.set(name, kept);
  }

  /** It stands open where a recovery code was wrong. */
  async openRecoveryField(): Promise<void> {
    const closed = this.page.locator('details:not([open]):has(input[name="recovery_code"]) > summary');
    if ((await closed.count()) > 0) await closed.click();
  }

  async giveRecoveryCode(code: string): Promise<void> {
    await this.openRecoveryField();
    await this.give('recovery_code', code);
  }

  /** The next one: a code works once. */
  recoveryCode(name: string): string {
    const { usedCodes } = this.scene;
    const used = usedCodes.get(name) ?? 0;
    usedCodes.set(name, used + 1);
    return this.enrolled(name).recoveryCodes[used] ?? '';
  }

  words(key: TextKey): string {
    return this.scene.texts.in(this.language).texts[key];
  }

  /** Another one for each language. */
  onceForEach([english, german]: readonly [string, string]): string {
    return this.language === 'de' ? german : english;
  }

  async press(key: TextKey, places: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.page
      .getByRole('button', { name: fill(this.words(key), places), exact: true })
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
    await this.page.getByRole('link', { name: this.words(key) }).click();
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
  async codeOfShownKey(place = 'code.secret'): Promise<string> {
    const shown = (await this.page.locator(place).textContent()) ?? '';
    return codeAt(seedIn(shown.replaceAll(' ', '')), this.scene.app.clock.now());
  }

  /** Through the homeserver's single sign-on. */
  async comeFromProvider(): Promise<void> {
    const { client } = this.scene;
    await this.comeThrough(
      `/_matrix/client/v3/login/sso/redirect/oidc?redirectUrl=${encodeURIComponent(client.url)}`,
    );
  }

  /** The same by the link of a page. */
  async followToProvider(): Promise<void> {
    await this.comeThrough((await this.page.locator('a[href^="/_2fa/approve"]').getAttribute('href')) ?? '');
  }

  /** Through single sign-on from a path of ours; the way back leads to the address that browsers see. */
  async comeThrough(path: string): Promise<void> {
    const { request } = this.page.context();
    let address = `${this.scene.app.url}${path}`;
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

  /** The same for the recovery of an account, which goes by what processes have lived; and all that is due is done. */
  async live(ms: number): Promise<void> {
    this.scene.app.live(ms);
    await this.scene.app.proxy.keepHouse();
  }

  /** Gives a dialog the password, and a code where it asks for one. */
  async fillDialog(name: string): Promise<void> {
    await this.dialog().waitFor();
    if (await this.dialog().locator('input[autocomplete="one-time-code"]').isVisible())
      await this.fill('one-time-code', this.freshCode(name));
    await this.fill('current-password', PASSWORD);
    await this.page.keyboard.press('Enter');
    await this.dialog().waitFor({ state: 'detached' });
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
    this.token = await this.newDevice(name);
    await this.openFallbackAgain();
  }

  /** Once more by the same device. */
  async openFallbackAgain(): Promise<void> {
    const target = '/_matrix/client/v3/delete_devices';
    await this.approve({ method: 'POST', target, json: { devices: ['ELSEWHERE'] } }, this.token);
  }

  /** The same for something that the homeserver does not guard. */
  async openOwnFallback(
    name: string,
    { target = `${TWO_FACTOR}/recovery`, method = 'POST', json = {} }: Partial<GuardedAct> = {},
  ): Promise<void> {
    await this.approve({ target, method, json }, await this.newDevice(name));
  }

  private async newDevice(name: string): Promise<string> {
    const { app } = this.scene;
    const { token, deviceId } = app.stub.signIn(name);
    const device = `/_matrix/client/v3/devices/${deviceId}`;
    await app.call({ method: 'PUT', target: device, json: { display_name: 'Pixel 9' }, token });
    return token;
  }

  private async approve(act: GuardedAct, token: string): Promise<void> {
    const guarded = await this.scene.app.call({ ...act, token });
    const session = encodeURIComponent(String(guarded.json.session));
    await this.open(`/_matrix/client/v3/auth/m.login.sso/fallback/web?session=${session}`);
  }

  /** The page of a set-up that a sign-in of a client waits for. */
  async openSetUpFallback(name: string): Promise<void> {
    const { json } = await this.scene.app.post(LOGIN, passwordLogin(name, PASSWORD));
    const session = encodeURIComponent(String(json.session));
    await this.open(`/_matrix/client/v3/auth/m.login.2fa.enrol/fallback/web?session=${session}`);
  }

  /** Sends a form as it is, with a field that has to be filled and is not. */
  async sendUnfilled(field: string): Promise<void> {
    const loaded = this.page.waitForEvent('load');
    const form = `document.querySelector('input[name="${field}"]').form`;
    await this.page.evaluate(`${form}.noValidate = true; ${form}.requestSubmit()`);
    await loaded;
  }

  /** The browser keeps no cookies but that of the language. */
  async forgetForms(): Promise<void> {
    await this.page.context().clearCookies();
    await this.choose(this.language);
  }

  async sendTicked(): Promise<void> {
    await this.page.locator('input[name="saved"]').check();
    await this.pressToNext('save.finish');
  }

  dialog(): Locator {
    return this.page.getByRole('dialog');
  }

  /** Of the account page. It closes the one that stands open. */
  async openDialog(key: TextKey, places: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.closeDialog();
    await this.press(key, places);
    await this.dialog().waitFor();
  }

  async closeDialog(): Promise<void> {
    if ((await this.dialog().count()) === 0) return;
    await this.page.keyboard.press('Escape');
    await this.dialog().waitFor({ state: 'detached' });
  }

  /** Gives a dialog what it asks for, and waits until it says what was wrong with that. */
  async fillWrongly(code: string, password: string, told: TextKey): Promise<void> {
    await this.prove(code, password);
    await this.waitForText(told);
  }

  /** Gives a dialog code and password. */
  async prove(code: string, password = PASSWORD): Promise<void> {
    await this.fill('one-time-code', code);
    await this.fill('current-password', password);
    await this.page.keyboard.press('Enter');
  }

  /** Sends the first code of an app on the account page, and waits for what that comes to. */
  async verify(code: string, told: TextKey): Promise<void> {
    await this.page.locator('input[name="code"]').fill(code);
    await this.page.keyboard.press('Enter');
    await this.waitForText(told);
  }

  async waitForText(key: TextKey): Promise<void> {
    await this.page.getByText(this.words(key), { exact: true }).first().waitFor();
  }

  /** Of the set-up on the account page: its key stands one step before the code. */
  async codeOfKeyBefore(): Promise<string> {
    await this.press('shell.back');
    const code = await this.codeOfShownKey('.key');
    await this.press('setup.next');
    return code;
  }

  sendWrongPasskey(): Promise<void> {
    return this.sendCredential(JSON.stringify(WRONG_ASSERTION));
  }

  sendWrongNewPasskey(): Promise<void> {
    return this.sendCredential(JSON.stringify(WRONG_ATTESTATION));
  }

  /** As the user who has a passkey answers the question of a page. */
  async usePasskey(): Promise<void> {
    const asked = this.page.locator('[data-webauthn-options]');
    const question = JSON.parse((await asked.getAttribute('data-webauthn-options')) ?? '{}') as JsonObject;
    await this.sendCredential(JSON.stringify(this.scene.frank.key.get(question)));
  }

  /** Gives a dialog a code, where it asks for no password. */
  async giveDialogCode(code: string): Promise<void> {
    await this.fill('one-time-code', code);
    await this.page.keyboard.press('Enter');
  }

  /** Types into a field that has no other name for browsers, and sends its form. */
  async give(field: string, text: string): Promise<void> {
    await this.page.locator(`input[name="${field}"]`).fill(text);
    await this.enter();
  }

  private async fill(autocomplete: string, text: string): Promise<void> {
    await this.page.locator(`input[autocomplete~="${autocomplete}"]:visible`).first().fill(text);
  }

  private enrolled(name: string): Enrolled {
    const enrolled = this.scene.users[name];
    if (enrolled === undefined) throw new Error(`${name} has no second factor`);
    return enrolled;
  }
}
