import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { isJsonObject, type Json, type JsonObject } from '../../src/matrix/wire.ts';
import { LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import { makeCrossSigningKeys } from '../support/cross_signing_keys.ts';
import type { Enrolled } from '../support/enrolment.ts';
import type { HttpAnswer } from '../support/http.ts';
import { judgeAll } from '../support/judged.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES } from '../support/stub/stub.ts';
import { type MutatedBody, mutated, PLACES } from './body_inputs.ts';
import type { Campaign } from './campaign.ts';

const V3 = '/_matrix/client/v3';
const BOBS_PASSWORD = 'correct horse';
const ALICES_PASSWORD = 'battery staple';
const CAROLS_PASSWORD = 'paper clip';

/** Wide enough that addresses and sign-ins are never what refuses a request. */
const UNLIMITED = '{ per_second: 10000, burst_count: 100000 }';
export const NO_LIMITS = `limits: { per_address: ${UNLIMITED}, sign_in_per_user: ${UNLIMITED} }`;

type Caller = 'bob' | 'alice' | 'nobody';

interface Seed {
  readonly method: 'POST' | 'DELETE' | 'PUT';
  readonly target: string;
  readonly body: Json;
}

const bobsAuth = passwordStage('@bob:localhost', BOBS_PASSWORD);
const alicesAuth = passwordStage('@alice:localhost', ALICES_PASSWORD);
const carolsAuth = passwordStage('carol', CAROLS_PASSWORD);
const AUTHS: readonly JsonObject[] = [
  ...[bobsAuth, alicesAuth, carolsAuth],
  { ...bobsAuth, password: `${BOBS_PASSWORD} 000000` },
  { ...bobsAuth, session: PLACES.bobsSession },
  { ...alicesAuth, session: PLACES.alicesSession },
  { type: 'm.login.2fa.totp', session: PLACES.bobsSession, token: '000000' },
  { type: 'm.login.2fa.recovery', session: PLACES.bobsSession, token: 'AAAA-AAAA-AAAA' },
  { session: PLACES.bobsSession },
  { type: 'm.login.password', user: 'carol', password: CAROLS_PASSWORD },
  { type: 'm.login.dummy' },
];

const GUARDED: readonly Seed[] = [
  post(`${V3}/delete_devices`, { devices: ['OLDPHONE'] }),
  { method: 'DELETE', target: `${V3}/devices/OLDPHONE`, body: {} },
  post(`${V3}/account/password`, { new_password: 'other', logout_devices: true }),
  post(`${V3}/account/deactivate`, { erase: true }),
  post(`${V3}/account/3pid/add`, { client_secret: 'secret', sid: 'sid1' }),
  post(`${V3}/account/3pid`, { three_pid_creds: { client_secret: 'secret', sid: 'sid1' } }),
  post(`${V3}/account/3pid/delete`, { medium: 'email', address: 'bob@example.org' }),
  post(`${V3}/account/3pid/unbind`, { medium: 'email', address: 'bob@example.org' }),
  post(`${V3}/keys/device_signing/upload`, { ...makeCrossSigningKeys('@bob:localhost') }),
  post('/_matrix/client/v1/login/get_token', {}),
  post(`${V3}/account/two-factor/totp`, { name: 'phone' }),
  { method: 'DELETE', target: `${V3}/account/two-factor/totp`, body: {} },
  post(`${V3}/account/two-factor/recovery`, {}),
  { method: 'DELETE', target: `${V3}/account/two-factor/recovery`, body: {} },
];

const UNGUARDED: readonly Seed[] = [
  post(LOGIN, passwordLogin('bob', BOBS_PASSWORD)),
  post(LOGIN, passwordLogin('bob', BOBS_PASSWORD, { device_id: 'OLDPHONE', refresh_token: true })),
  post(LOGIN, passwordLogin('bob', `${BOBS_PASSWORD} 000000`)),
  post(LOGIN, passwordLogin('alice', ALICES_PASSWORD, { initial_device_display_name: 'x' })),
  post(LOGIN, { type: 'm.login.token', token: PLACES.loginToken }),
  post(LOGIN, { auth: { type: 'm.login.2fa.totp', session: PLACES.loginSession, token: '000000' } }),
  post(LOGIN, { auth: { type: 'm.login.2fa.totp', session: PLACES.loginSession, token: PLACES.code } }),
  post(LOGIN, { ...passwordLogin('bob', BOBS_PASSWORD), auth: { session: PLACES.loginSession } }),
  post(`${V3}/register`, { username: 'dora', password: 'x', auth: { type: 'm.login.dummy' } }),
  post(`${V3}/register`, { username: 'bob', password: 'x', auth: bobsAuth }),
  post(`${V3}/register?kind=guest`, {}),
  post(`${V3}/refresh`, { refresh_token: 'x' }),
  post(`${V3}/account/two-factor/totp/confirm`, { setup_id: 'x', token: '000000' }),
  {
    method: 'PUT',
    target: '/_matrix/client/unstable/org.matrix.2fa/authenticators/x',
    body: { name: 'new' },
  },
];

interface Request {
  readonly caller: Caller;
  readonly seed: Seed;
  readonly body: MutatedBody;
}

const callers = fc.constantFrom<Caller>('bob', 'bob', 'alice', 'alice', 'nobody');

const guardedSeed = fc
  .tuple(fc.constantFrom(...GUARDED), fc.constantFrom(...AUTHS, undefined))
  .map(([seed, auth]) =>
    auth === undefined ? seed : { ...seed, body: { ...(seed.body as JsonObject), auth } },
  );

const request: fc.Arbitrary<Request> = fc
  .tuple(
    callers,
    fc.oneof({ weight: 3, arbitrary: guardedSeed }, { weight: 2, arbitrary: fc.constantFrom(...UNGUARDED) }),
  )
  .chain(([caller, seed]) => mutated(seed.body).map((body) => ({ caller, seed, body })));

const personalities = Object.keys(PERSONALITIES) as PersonalityName[];

/** Bodies of every gated kind, by callers with 2FA, without it and without a token. */
export const mutatedBodies: Campaign = {
  name: 'bodies',
  runsPerWorld: 60,
  begin: async (round) => {
    const village = await Village.start(personalities[round % personalities.length] ?? 'synapse');
    const property = fc.asyncProperty(fc.array(request, { minLength: 1, maxLength: 3 }), async (requests) => {
      await village.prepare();
      await Promise.all(requests.map((each) => village.ask(each)));
      await village.requireUnharmed();
    });
    return { property, counts: village.counts, end: () => village.app.stop() };
  },
};

/** The application, bob with 2FA, alice and carol without: and how bob and carol must stay whatever is sent. */
class Village {
  readonly counts: Record<string, number> = { granted: 0, challenged: 0, refused: 0 };
  readonly #tokens: Record<Caller, string> = { bob: '', alice: '', nobody: '' };
  #placed = new Map<string, string>();
  #before = '';

  private constructor(
    readonly app: TestApp,
    private readonly bob: Enrolled,
  ) {}

  static async start(personality: PersonalityName): Promise<Village> {
    const app = await startApp({
      personality,
      config: NO_LIMITS,
      users: [
        { name: 'bob', password: BOBS_PASSWORD, emails: ['bob@example.org'] },
        { name: 'alice', password: ALICES_PASSWORD },
        { name: 'carol', password: CAROLS_PASSWORD, emails: ['carol@example.org'] },
      ],
    });
    const { master_key, self_signing_key, user_signing_key } = makeCrossSigningKeys('@bob:localhost');
    const keys = { master: master_key, selfSigning: self_signing_key, userSigning: user_signing_key };
    Object.assign(app.stub.keysOf('bob'), keys);
    app.stub.validateEmail('new@example.org');
    return new Village(app, await app.enrol('bob'));
  }

  /** Everybody as at the beginning, with sessions under way. */
  async prepare(): Promise<void> {
    const { app } = this;
    app.clock.advance(31_000);
    this.#mend('alice', ALICES_PASSWORD, ['ALICESPHONE', 'OLDPHONE']);
    this.#mend('bob', BOBS_PASSWORD, ['BOBSPHONE', 'OLDPHONE']);
    this.#mend('carol', CAROLS_PASSWORD, ['CAROLSPHONE']);
    const [login, bobs, alices] = await Promise.all([
      app.post(LOGIN, passwordLogin('bob', BOBS_PASSWORD)),
      app.post(`${V3}/delete_devices`, { devices: ['OLDPHONE'] }, this.#tokens.bob),
      app.post(`${V3}/account/password`, { new_password: 'x' }, this.#tokens.alice),
    ]);
    this.#placed = new Map([
      [PLACES.code, app.code(this.bob)],
      [PLACES.loginSession, String(login.json.session)],
      [PLACES.bobsSession, String(bobs.json.session)],
      [PLACES.alicesSession, String(alices.json.session)],
      [PLACES.loginToken, app.stub.mintLoginToken('bob')],
    ]);
    this.#before = this.#lives();
  }

  async ask({ caller, seed, body }: Request): Promise<void> {
    const text = this.#filledIn(body.text, seed.target === LOGIN);
    const bytes = body.corrupt(text);
    const token = this.#tokens[caller];
    const failuresBefore = this.app.stub.requests.filter(({ status }) => (status ?? 0) >= 500).length;
    const answer = await this.app.call({
      method: seed.method,
      target: seed.target,
      body: bytes,
      signal: AbortSignal.timeout(60_000),
      ...(token === '' ? {} : { token }),
    });
    const failuresAfter = this.app.stub.requests.filter(({ status }) => (status ?? 0) >= 500).length;
    const told = `${caller}: ${seed.method} ${seed.target} ${bytes.toString('latin1').slice(0, 600)}\n→ ${answer.status} ${answer.text.slice(0, 600)}`;
    this.#note(answer);
    if (isHomeserverChallenge(answer)) {
      if (caller === 'bob' && !seed.target.includes('/register'))
        throw new Error(`a challenge of the homeserver for bob\n${told}`);
      return;
    }
    if (!this.#isHomeserversOwn(seed, answer)) requireMatrixAnswer(seed, answer, told);
    if (answer.status >= 500 && failuresAfter === failuresBefore)
      throw new Error(`a failure of ours\n${told}`);
    if (!isObject(bytes) && ![400, 413].includes(answer.status))
      throw new Error(`no JSON object, and yet\n${told}`);
    if (!text.includes(this.#placed.get(PLACES.code) ?? '')) this.#requireNoSecretOfBob(answer, text, told);
  }

  /** No one proved a second factor, and no one but bob and carol knows how to prove to be one of them. */
  async requireUnharmed(): Promise<void> {
    const now = this.#lives();
    if (now !== this.#before) throw new Error(`what was\n${this.#before}\nis now\n${now}`);
    if (!(await this.app.storage.factors.isEnrolled('@bob:localhost')))
      throw new Error('bob has no 2FA any more');
    if ((await this.app.storage.factors.authenticators('@bob:localhost')).length !== 1) {
      throw new Error('bob has another number of authenticators');
    }
    this.app.stub.clear();
  }

  #mend(name: 'alice' | 'bob' | 'carol', password: string, devices: readonly string[]): void {
    const user = this.app.stub.user(name);
    user.password = password;
    user.deactivated = false;
    this.app.stub.state.deleteAllDevices(user.userId);
    const [token] = devices.map((device) => this.app.stub.signIn(name, device).token);
    if (name !== 'carol') this.#tokens[name] = token ?? '';
  }

  /** All that is dear to bob and carol. */
  #lives(): string {
    const { stub } = this.app;
    return JSON.stringify(
      ['bob', 'carol'].map((name) => ({
        password: stub.passwordOf(name),
        deactivated: stub.isDeactivated(name),
        keys: stub.keysOf(name),
        emails: [...stub.user(name).emails],
        devices: ['BOBSPHONE', 'OLDPHONE', 'CAROLSPHONE'].filter((id) => stub.user(name).devices.has(id)),
        isAlive: stub.isLive(this.#tokens.bob),
      })),
    );
  }

  /** A right code is known only where it can do no harm: at the login. */
  #filledIn(text: string, isLogin: boolean): string {
    let filled = isLogin ? text : text.replaceAll(PLACES.code, '000000');
    for (const [place, actual] of this.#placed) filled = filled.replaceAll(place, actual);
    return filled;
  }

  /** But for what the client sent itself. */
  #requireNoSecretOfBob({ text }: HttpAnswer, sent: string, told: string): void {
    const { tokens, refreshTokens, loginTokens } = this.app.stub.state;
    for (const kind of [tokens, refreshTokens, loginTokens]) {
      for (const [secret, { userId }] of kind) {
        if (userId !== '@bob:localhost' || sent.includes(secret)) continue;
        if (text.includes(secret)) throw new Error(`it holds a token of bob\n${told}`);
      }
    }
  }

  /** One homeserver closes an account with an empty answer, which is relayed as it is. */
  #isHomeserversOwn({ target }: Seed, { status, json }: HttpAnswer): boolean {
    const { deactivated } = this.app.stub.personality.account;
    return target.endsWith('/account/deactivate') && status === 200 && isDeepStrictEqual(json, deactivated);
  }

  #note({ status }: HttpAnswer): void {
    const what = status === 200 ? 'granted' : status === 401 ? 'challenged' : 'refused';
    this.counts[what] = (this.counts[what] ?? 0) + 1;
  }
}

function requireMatrixAnswer(seed: Seed, answer: HttpAnswer, told: string): void {
  const path = seed.target.split('?')[0] ?? '';
  if (answer.headers['content-type'] !== 'application/json') throw new Error(`another content type\n${told}`);
  const errors = judgeAll({ method: seed.method, path, status: answer.status, body: answer.json });
  if (errors.length > 0) throw new Error(`${errors.join('\n')}\n${told}`);
  if (answer.status >= 400 && answer.status !== 401 && typeof answer.json.errcode !== 'string') {
    throw new Error(`no Matrix error\n${told}`);
  }
}

/** Users without 2FA get the homeserver's own challenge as it is (R6). */
function isHomeserverChallenge({ status, json }: HttpAnswer): boolean {
  return status === 401 && Array.isArray(json.flows) && !String(json.session).startsWith('m2fa_');
}

/** Whether the body is empty or a JSON object that every server can read. */
function isObject(bytes: Buffer): boolean {
  if (bytes.length === 0) return true;
  try {
    return isJsonObject(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)));
  } catch {
    return false;
  }
}

function passwordStage(user: string, password: string): JsonObject {
  return { type: 'm.login.password', identifier: { type: 'm.id.user', user }, password };
}

function post(target: string, body: Json): Seed {
  return { method: 'POST', target, body };
}
