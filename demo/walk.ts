import { isJsonObject, type JsonObject } from '../src/matrix/wire.ts';
import { MINUTE, SECOND } from '../src/system/clock.ts';
import { ALICE, type Bob, bobOr, keepBob, lastUsedStep, registerCast } from './cast.ts';
import { type ApiAnswer, type ApiCall, ask, passwordLogin, textIn } from './client.ts';
import { CodeFile } from './code_file.ts';
import { enrol, recoveryCodesIn, signIn } from './enrolment.ts';
import type { MovableClock } from './movable_clock.ts';
import type { Guest } from './options.ts';
import { PageWalk } from './page_walk.ts';
import { Phone } from './phone.ts';
import { printedLines } from './printed_lines.ts';
import { bodyInShort, type Expectation, Report } from './report.ts';
import type { Scene } from './scene.ts';
import { hasCurl, runLine } from './shell.ts';

/** No one else's device has this name. */
const DEVICE = 'TWOFACTORDEMO';
/** Longer than a login is held (`login.hold_ttl`). */
const PAST_THE_HOLD_MS = 5 * MINUTE + SECOND;
const STEP_MS = 30 * SECOND;

/** The main job of the proxy, step by step. Each step fails loudly if an answer is not what it should be. */
export class Walk {
  private readonly report = new Report();
  /** What the steps were given: logged out at the end, so that a user's own account is left as it was. */
  private readonly tokens = new Set<string>();

  constructor(
    private readonly scene: Scene,
    private readonly clock: MovableClock,
    private readonly guest: Guest | undefined,
  ) {}

  /**
   * @returns how many steps there were
   * @throws StepFailed
   */
  async all(signal: AbortSignal): Promise<number> {
    try {
      await this.walk(signal);
    } finally {
      await this.logOut();
    }
    return this.report.count;
  }

  private async walk(signal: AbortSignal): Promise<void> {
    await this.withoutSecondFactor();
    const bob = await this.turnOn();
    const steps = [
      () => this.walkThePages(bob),
      () => this.pasteThePrintedLines(bob),
      () => this.refuseWhatIsWrong(bob),
      () => this.signInStageByStage(bob),
      () => this.guardDevices(bob),
      () => this.finishAfterRestart(bob),
      () => this.endWhatWasLeft(bob),
      () => this.renewRecoveryCodes(bob),
      () => this.turnOff(bob),
    ];
    for (const step of steps) {
      signal.throwIfAborted();
      await step();
    }
  }

  private async logOut(): Promise<void> {
    this.clock.advance(PAST_THE_HOLD_MS);
    await this.scene.proxy.keepHouse();
    for (const token of this.tokens) {
      await ask(this.scene.url, { method: 'POST', path: 'v3/logout', token }).catch(() => undefined);
    }
  }

  private noteToken({ access_token: token }: JsonObject): void {
    if (typeof token === 'string') this.tokens.add(token);
  }

  private async withoutSecondFactor(): Promise<void> {
    this.report.step('The proxy answers in place of the homeserver');
    await this.expect('GET versions', { path: 'versions' }, { status: 200, body: announcesTwoFactor });
    if (this.guest !== undefined) return;
    await registerCast(this.scene);
    this.report.step('alice, who has no second factor, signs in as ever');
    await this.login('her password', passwordLogin(ALICE.name, ALICE.password), {
      status: 200,
      body: hasToken,
    });
  }

  private async turnOn(): Promise<Bob> {
    const { name, password } = bobOr(this.guest);
    this.report.step(`${name} turns the second factor on, as any client would`);
    const account = await signIn(this.scene.url, name, password);
    this.tokens.add(account.token);
    const enrolled = await enrol(
      account,
      (seed) => new Phone(seed, this.clock),
      (asked, answer) => this.report.tell(asked, `${answer.status} ${bodyInShort(answer.body)}`),
    );
    return { name, password, account, ...enrolled };
  }

  private walkThePages(bob: Bob): Promise<void> {
    const { report, scene, clock, guest } = this;
    const pages = new PageWalk({ report, scene, clock, hasAlice: guest === undefined, bob });
    return pages.all({ freshCode: () => this.freshCode(bob), deviceCount: () => this.deviceCount(bob) });
  }

  private async pasteThePrintedLines(bob: Bob): Promise<void> {
    this.report.step('The lines that `npm run demo` prints, pasted into a shell');
    if (!(await hasCurl())) {
      this.report.tell('curl', 'is not installed here: left out');
      return;
    }
    await keepBob(this.scene, bob);
    const codeFile = new CodeFile(this.scene, bob);
    for (const line of printedLines(this.scene, bob, this.guest === undefined)) {
      await codeFile.refresh();
      const printed = await runLine(line.command);
      if (printed !== undefined) this.noteToken(printed);
      const answered = printed === undefined ? 'no JSON' : bodyInShort(printed);
      this.report.require(line.command, answered, printed !== undefined && line.holds(printed));
    }
    await codeFile.remove();
  }

  private async refuseWhatIsWrong(bob: Bob): Promise<void> {
    const { name, password } = bob;
    this.report.step('A wrong password, a wrong code and a used code sign no one in');
    await this.login('a wrong password', passwordLogin(name, `${password}x`), { status: 403 });
    const code = await this.freshCode(bob);
    const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
    await this.login('password and a wrong code', passwordLogin(name, `${password} ${wrong}`), challenged);
    await this.login('password and the right code', passwordLogin(name, `${password}${code}`), granted);
    await this.login('the very same again', passwordLogin(name, `${password}${code}`), challenged);
  }

  private async signInStageByStage(bob: Bob): Promise<void> {
    this.report.step(
      `A client that knows the stages signs ${bob.name} in step by step, on a device of its choice`,
    );
    const body = passwordLogin(bob.name, bob.password, { device_id: DEVICE });
    const challenge = await this.login('the password', body, challenged);
    const auth = { type: 'm.login.2fa.totp', session: textIn(challenge, 'session') };
    const answer = await this.login(
      'the session and a code',
      { auth: { ...auth, token: await this.freshCode(bob) } },
      granted,
    );
    const device = textIn(answer, 'device_id');
    this.report.require('the device', device, device === DEVICE);
  }

  private async guardDevices(bob: Bob): Promise<void> {
    this.report.step('With an access token and the password alone no one removes the devices');
    const call = { path: 'v3/delete_devices', token: bob.account.token };
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: bob.account.userId } };
    const remove = (password: string): ApiCall => ({
      ...call,
      body: { devices: [DEVICE], auth: { ...auth, password } },
    });
    await this.expect('POST delete_devices, with the password', remove(bob.password), challenged);
    const proof = `${bob.password} ${await this.freshCode(bob)}`;
    await this.expect('POST delete_devices, with password and code', remove(proof), { status: 200 });
  }

  private async finishAfterRestart(bob: Bob): Promise<void> {
    this.report.step('The proxy is restarted in the middle of a sign-in, which can be finished all the same');
    const challenge = await this.login('the password', passwordLogin(bob.name, bob.password), challenged);
    await this.scene.restartProxy();
    const auth = {
      type: 'm.login.2fa.totp',
      session: textIn(challenge, 'session'),
      token: await this.freshCode(bob),
    };
    await this.login('the session and a code, after the restart', { auth }, granted);
  }

  private async endWhatWasLeft(bob: Bob): Promise<void> {
    this.report.step('A sign-in without a code is logged out at the homeserver when its time is over');
    await this.scene.proxy.keepHouse();
    const before = await this.deviceCount(bob);
    await this.login('the password', passwordLogin(bob.name, bob.password), challenged);
    const during = await this.deviceCount(bob);
    this.report.require(
      'GET devices, while the login is held',
      `${during - before} more`,
      during === before + 1,
    );
    this.clock.advance(PAST_THE_HOLD_MS);
    await this.scene.proxy.keepHouse();
    const after = await this.deviceCount(bob);
    this.report.require('GET devices, five minutes later', `${after - before} more`, after === before);
  }

  private async renewRecoveryCodes(bob: Bob): Promise<void> {
    this.report.step('New recovery codes; the old ones are dead at once');
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: bob.account.userId } };
    const proof = { ...auth, password: `${bob.password} ${await this.freshCode(bob)}` };
    const path = 'v3/account/two-factor/recovery';
    const answer = await this.expect(
      'POST two-factor/recovery, with password and code',
      { path, token: bob.account.token, body: { auth: proof } },
      { status: 200 },
    );
    const codes = [bob.recoveryCodes.at(-1), recoveryCodesIn(answer).at(0)];
    const [old, fresh] = codes.map((code) => passwordLogin(bob.name, `${bob.password} ${code}`));
    await this.login('password and an old recovery code', old ?? {}, challenged);
    await this.login('password and a new one', fresh ?? {}, granted);
    await this.login('the same again', fresh ?? {}, challenged);
  }

  private async turnOff(bob: Bob): Promise<void> {
    const { name, password, account } = bob;
    this.report.step(
      `${name} turns the second factor off: it takes the second factor, then the password is enough`,
    );
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: account.userId } };
    const remove = (proof: string): ApiCall => ({
      method: 'DELETE',
      path: 'v3/account/two-factor/totp',
      token: account.token,
      body: { auth: { ...auth, password: proof } },
    });
    await this.expect('DELETE two-factor/totp, with the password', remove(password), challenged);
    const proof = `${password} ${await this.freshCode(bob)}`;
    await this.expect('DELETE two-factor/totp, with password and code', remove(proof), { status: 200 });
    await this.login('the password', passwordLogin(name, password), granted);
  }

  private login(proof: string, body: JsonObject, expected: Expectation): Promise<ApiAnswer> {
    return this.expect(`POST login, with ${proof}`, { path: 'v3/login', body }, expected);
  }

  private async expect(asked: string, what: ApiCall, expected: Expectation): Promise<ApiAnswer> {
    const answer = await ask(this.scene.url, what);
    this.noteToken(answer.body);
    return this.report.expect(asked, answer, expected);
  }

  /** A code that was not used: the clock is moved on rather than waited for. */
  private async freshCode(bob: Bob): Promise<string> {
    this.clock.advance(STEP_MS);
    return bob.phone.freshCode(await lastUsedStep(this.scene, bob.account.userId)).code;
  }

  private async deviceCount({ account }: Bob): Promise<number> {
    const { body } = await ask(this.scene.url, { path: 'v3/devices', token: account.token });
    return Array.isArray(body.devices) ? body.devices.length : Number.NaN;
  }
}

const granted: Expectation = { status: 200, body: hasToken };
const challenged: Expectation = { status: 401, body: (body) => Array.isArray(body.flows) && !hasToken(body) };

function hasToken(body: JsonObject): boolean {
  return typeof body.access_token === 'string';
}

function announcesTwoFactor({ unstable_features: features }: JsonObject): boolean {
  return isJsonObject(features) && features['org.matrix.2fa'] === true;
}
