import type { JsonObject } from '../../src/matrix/wire.ts';
import { LOGIN, passwordLogin, type TestApp } from './app.ts';
import type { HttpAnswer } from './http.ts';
import { judgeAll } from './judged.ts';
import { SoftwareAuthenticator, type Twist } from './software_authenticator.ts';

export const WEBAUTHN_STAGE = 'm.login.2fa.webauthn';
export const TWO_FACTOR = '/_matrix/client/v3/account/two-factor';
export const PASSKEYS = `${TWO_FACTOR}/webauthn`;
export const ORG = '/_matrix/client/unstable/org.matrix.2fa';

/** A user of the stub whose client knows passkeys. Every answer is compared with the schemas. */
export class PasskeyUser {
  readonly userId: string;
  readonly token: string;
  readonly device: string;

  constructor(
    readonly app: TestApp,
    readonly name: string,
    readonly key: SoftwareAuthenticator = new SoftwareAuthenticator(),
  ) {
    this.userId = `@${name}:${app.stub.serverName}`;
    this.device = `DEVICE_${name}`;
    this.token = app.stub.signIn(name, this.device).token;
  }

  get password(): string {
    return `${this.name} password`;
  }

  async ask(method: string, target: string, json?: JsonObject, token = this.token): Promise<HttpAnswer> {
    const answer = await this.app.call({ method, target, token, ...(json && { json }) });
    const path = target.split('?')[0] ?? '';
    const wrong = judgeAll({ method, path, status: answer.status, body: answer.json });
    if (wrong.length > 0) throw new Error(`${method} ${target}: ${wrong.join('; ')}`);
    return answer;
  }

  /** Begins a set-up while 2FA is off, and answers what the client is told. */
  async begin(more: JsonObject = {}): Promise<JsonObject> {
    const begun = await this.ask('POST', PASSKEYS, { auth: this.passwordStage(), ...more });
    if (begun.status !== 200) throw new Error(`the set-up was refused: ${begun.text}`);
    return begun.json;
  }

  confirm({ setup_id }: JsonObject, credential: JsonObject, more: JsonObject = {}): Promise<HttpAnswer> {
    return this.ask('POST', `${PASSKEYS}/confirm`, { setup_id: String(setup_id), credential, ...more });
  }

  /** Turns 2FA on with the passkey, over the API. */
  async enrol(): Promise<JsonObject> {
    const begun = await this.begin();
    const confirmed = await this.confirm(begun, this.key.create(begun.public_key as JsonObject));
    if (confirmed.status !== 200) throw new Error(`the passkey was refused: ${confirmed.text}`);
    return confirmed.json;
  }

  /** The 401 of a login with the right password. */
  challenged(app = this.app): Promise<HttpAnswer> {
    return app.post(LOGIN, passwordLogin(this.name, this.password));
  }

  answer(auth: JsonObject, app = this.app): Promise<HttpAnswer> {
    return app.post(LOGIN, { auth });
  }

  /** The stage with an answer to the question of a 401. */
  stage(challenge: HttpAnswer, twist: Twist = {}): JsonObject {
    return {
      type: WEBAUTHN_STAGE,
      session: String(challenge.json.session),
      credential: this.key.get(optionsIn(challenge), twist),
    };
  }

  passwordStage(more: JsonObject = {}): JsonObject {
    const identifier = { type: 'm.id.user', user: this.userId };
    return { type: 'm.login.password', identifier, password: this.password, ...more };
  }

  /** The only one, as the state has it. */
  async passkey(): Promise<JsonObject> {
    const { json } = await this.ask('GET', TWO_FACTOR);
    const providers = json.providers as { [stage: string]: { authenticators: JsonObject[] } };
    return providers[WEBAUTHN_STAGE]?.authenticators[0] ?? {};
  }

  async events(): Promise<string[]> {
    const { json } = await this.ask('GET', `${ORG}/history`);
    return (json.events as { event: string }[]).map(({ event }) => event);
  }
}

/** The question of a 401, as `navigator.credentials.get` takes it. */
export function optionsIn({ json }: HttpAnswer): JsonObject {
  const params = json.params as { [stage: string]: { public_key?: JsonObject } | undefined };
  return params[WEBAUTHN_STAGE]?.public_key ?? {};
}

export function stagesIn({ json }: HttpAnswer): string[][] {
  return (json.flows as { stages: string[] }[]).map(({ stages }) => stages);
}
