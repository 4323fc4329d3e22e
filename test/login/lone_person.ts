import { expect } from '@jest/globals';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { LOGIN, type TestApp } from '../support/app.ts';
import type { HttpAnswer } from '../support/http.ts';
import { PasskeyUser } from '../support/passkey_user.ts';
import { FLAGS, SoftwareAuthenticator, type Twist } from '../support/software_authenticator.ts';
import { formsOf, type VisitedForm, Visitor } from '../support/visitor.ts';

/** Of our registration at the stub. */
export const OWN_TOKEN = 'as_token_of_the_proxy_itself';
export const SERVICE = 'm.login.application_service';
export const CLIENT = 'https://app.example.net/?x=1#/home';
export const REFUSED = 'This passkey was not accepted. Try again, or sign in with your password.';
export const VERIFIED = FLAGS.up | FLAGS.uv;
/** `config` for `startApp`: passkeys alone are on. */
export const PASSWORDLESS = 'webauthn: { passwordless: true }';

/** In an application that several tests share. */
let users = 0;

/** Something that a test waits for. */
export function awaited(): { readonly promise: Promise<void>; readonly resolve: () => void } {
  let resolve = () => {};
  const promise = new Promise<void>((done) => {
    resolve = done;
  });
  return { promise, resolve };
}

/** The options of an application whose users sign in by passkeys alone. */
export function passwordless(config = PASSWORDLESS) {
  const applicationServices = [{ token: OWN_TOKEN, senderLocalpart: 'two-factor', prefix: '' }];
  return { applicationServices, ownToken: OWN_TOKEN, config };
}

/** A user with a passkey that verifies them, at the sign-in page of a browser. */
export class LonePerson {
  readonly visitor: Visitor;

  private constructor(
    readonly app: TestApp,
    readonly user: PasskeyUser,
    readonly page: string,
  ) {
    this.visitor = new Visitor(app.url);
  }

  /** A new user, who has 2FA on with that passkey and nothing else. */
  static async enrolled(app: TestApp, key?: SoftwareAuthenticator): Promise<LonePerson> {
    users += 1;
    const name = `user${users}`;
    app.stub.addUser({ name, password: `${name} password` });
    const user = new PasskeyUser(app, name, key ?? new SoftwareAuthenticator({ flags: VERIFIED }));
    await user.enrol();
    return LonePerson.at(app, user);
  }

  static at(app: TestApp, user: PasskeyUser, page = pageFor(CLIENT)): LonePerson {
    return new LonePerson(app, user, page);
  }

  /** In the form that asks for a passkey: what the browser is asked, and where the answer goes. */
  async asked(): Promise<{ readonly options: JsonObject; readonly form: VisitedForm }> {
    const { text } = await this.visitor.open(this.page);
    return askedIn(text);
  }

  /** Signs in, up to the page that comes then. */
  async give(twist: Twist = {}): Promise<HttpAnswer> {
    const { options, form } = await this.asked();
    return this.answer(form, this.user.key.get(options, twist));
  }

  answer(form: VisitedForm, credential: JsonObject, headers: Record<string, string> = {}) {
    const fields = { ...form.fields, credential: JSON.stringify(credential) };
    return this.visitor.post(fields, headers, form.action);
  }

  /** Signs in and says yes: the login token. */
  async token(): Promise<string> {
    expect((await this.give()).text).toContain('Continue to app.example.net?');
    return this.allow();
  }

  async allow(): Promise<string> {
    const back = await this.visitor.send({ decision: 'allow' });
    expect(back.status).toBe(303);
    return new URL(back.headers.location ?? '').searchParams.get('loginToken') ?? '';
  }

  redeem(token: string, more: JsonObject = {}, app = this.app): Promise<HttpAnswer> {
    return app.post(LOGIN, { type: 'm.login.token', token, ...more });
  }
}

export function pageFor(redirectUrl: string): string {
  return `/_2fa/login?redirectUrl=${encodeURIComponent(redirectUrl)}`;
}

export function askedIn(page: string): { readonly options: JsonObject; readonly form: VisitedForm } {
  const written = /data-webauthn-options="([^"]*)"/.exec(page)?.[1] ?? '';
  const form = formsOf(page).find(({ fields }) => 'question' in fields);
  if (form === undefined) throw new Error('the page asks for no passkey');
  return { form, options: JSON.parse(written.replaceAll('&quot;', '"')) as JsonObject };
}
