import { setTimeout as pause } from 'node:timers/promises';
import { LOGIN, passwordLogin } from '../support/app.ts';
import { codeAt, type Enrolled } from '../support/enrolment.ts';
import { call, type HttpAnswer } from '../support/http.ts';
import { PASSWORD } from './scene.ts';

const STEP_MS = 30_000;
/** Longer than a process that was killed keeps the turn of a sign-in. */
const PATIENCE_MS = 60_000;
/** A code is not begun with in the last part of its time. */
const LATEST_MS = 8_000;
/** A sign-in may need as many codes. */
const TRIES = 2;

interface Code {
  readonly type: 'm.login.2fa.totp' | 'm.login.2fa.recovery';
  readonly token: string;
  /** Of a TOTP code. */
  readonly step?: number;
}

/** An owner who signs in again and again, each time with codes that were not sent before. */
export class ReplicaOwner {
  /** The tokens that reached a client. */
  readonly delivered: string[] = [];
  /** How many requests got no answer of ours: their connection was cut, or HAProxy answered. */
  readonly cut = { passwords: 0, codes: 0 };
  signIns = 0;
  atSecondTry = 0;
  readonly faults: string[] = [];
  /** Whether a sign-in needs its second try at this moment. */
  isAtSecondTry = false;
  private lastStep = 0;
  private lastCut = '';
  private readonly recoveryCodes: string[];

  constructor(
    private readonly owner: Enrolled,
    private readonly url: string,
    private readonly address: string,
  ) {
    this.recoveryCodes = [...owner.recoveryCodes];
  }

  get userId(): string {
    return this.owner.userId;
  }

  get name(): string {
    return this.userId.slice(1, this.userId.indexOf(':'));
  }

  /** Signs in, in two tries at most; false if there are not enough codes for that now. */
  async signIn(): Promise<boolean> {
    if (this.freshCodes(Date.now()).length < TRIES) return false;
    this.signIns += 1;
    const told: string[] = [];
    for (let turn = 0; turn < TRIES; turn++) {
      this.isAtSecondTry = turn > 0;
      if (turn > 0) this.atSecondTry += 1;
      const outcome = await this.tryOnce();
      this.isAtSecondTry = false;
      if (outcome === 'in') return true;
      told.push(outcome);
    }
    this.faults.push(`${this.name} was kept out: ${told.join('; then ')}`);
    return true;
  }

  /** The code is sent in two sessions at once, which HAProxy gives to both replicas: one of them gets in. */
  private async tryOnce(): Promise<string> {
    const challenge = await this.ask(passwordLogin(this.name, PASSWORD));
    const twin = await this.ask(passwordLogin(this.name, PASSWORD));
    const sessions = [challenge, twin].flatMap((answer) => answer?.json.session ?? []);
    const [code] = this.freshCodes(Date.now());
    if (sessions.length === 0 || code === undefined) return `password: ${this.told(challenge)}`;
    this.spend(code);
    const { type, token } = code;
    const answers = await Promise.all(
      sessions.map((session) => this.ask({ auth: { type, token, session } })),
    );
    const granted = answers.filter((answer) => answer?.status === 200);
    this.delivered.push(...granted.map((answer) => String(answer?.json.access_token)));
    if (granted.length > 1) this.faults.push(`${this.name}: one code was accepted ${granted.length} times`);
    if (granted.length > 0) return 'in';
    return answers.map((answer) => `code: ${this.told(answer)}`).join(', ');
  }

  private told(answer: HttpAnswer | undefined): string {
    return answer === undefined ? this.lastCut : `${answer.status} ${answer.text}`;
  }

  private async ask(json: HttpAnswer['json']): Promise<HttpAnswer | undefined> {
    const headers = { 'x-forwarded-for': this.address };
    const signal = AbortSignal.timeout(PATIENCE_MS);
    try {
      const answer = await call(this.url, { target: LOGIN, json, headers, signal });
      if (answer.json.errcode !== undefined || answer.status < 500) return answer;
      this.lastCut = `${answer.status} of HAProxy`;
    } catch (error) {
      // The connection went with the process.
      this.lastCut = String(error);
    }
    this.cut[json.auth === undefined ? 'passwords' : 'codes'] += 1;
    return undefined;
  }

  /** Those that were not sent, in the order in which they can be used. */
  private freshCodes(now: number): Code[] {
    const current = Math.floor(now / STEP_MS);
    // The code of the last step may end before it is sent.
    const oldest = now % STEP_MS > STEP_MS - LATEST_MS ? current : current - 1;
    const steps = [oldest, oldest + 1, current + 1].filter((step) => step > this.lastStep);
    const totp = [...new Set(steps)].map(
      (step): Code => ({
        type: 'm.login.2fa.totp',
        token: codeAt(this.owner.seed, step * STEP_MS),
        step,
      }),
    );
    const recovery = this.recoveryCodes.map((token): Code => ({ type: 'm.login.2fa.recovery', token }));
    return [...totp.slice(0, 1), ...recovery, ...totp.slice(1)];
  }

  private spend({ token, step }: Code): void {
    if (step !== undefined) this.lastStep = step;
    else this.recoveryCodes.splice(this.recoveryCodes.indexOf(token), 1);
  }
}

/** Signs in until the storm is over. */
export async function livesUntil(owner: ReplicaOwner, over: AbortSignal): Promise<void> {
  while (!over.aborted) {
    const signedIn = await owner.signIn();
    await pause(signedIn ? Math.random() * 200 : 500);
  }
}
