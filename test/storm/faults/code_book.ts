import { codeAt, type Enrolled } from '../../support/enrolment.ts';

const STEP_MS = 30_000;
/** A code is not begun with in the last part of its time. */
const LATEST_MS = 8_000;

/** A code that was never sent before. */
export interface Code {
  readonly stage: 'm.login.2fa.totp' | 'm.login.2fa.recovery';
  readonly token: string;
}

/** The codes of an owner, each of which is sent once: what became of one whose answer was lost is not known. */
export class CodeBook {
  private lastStep = 0;
  private recovery: string[];

  constructor(private readonly owner: Pick<Enrolled, 'seed' | 'recoveryCodes'>) {
    this.recovery = [...owner.recoveryCodes];
  }

  get recoveryCodes(): number {
    return this.recovery.length;
  }

  /** The owner has got new recovery codes. */
  renew(recoveryCodes: readonly string[]): void {
    this.recovery = [...recoveryCodes];
  }

  /** How many there are that can be sent now. */
  count(now: number): number {
    return this.steps(now).length + this.recovery.length;
  }

  /** How many of these are from the authenticator. */
  countTotp(now: number): number {
    return this.steps(now).length;
  }

  /** @param kind `recovery`: not from the authenticator */
  take(now: number, kind: 'any' | 'recovery' = 'any'): Code | undefined {
    const [step] = kind === 'any' ? this.steps(now) : [];
    if (step !== undefined) {
      this.lastStep = step;
      return { stage: 'm.login.2fa.totp', token: codeAt(this.owner.seed, step * STEP_MS) };
    }
    const token = this.recovery.shift();
    return token === undefined ? undefined : { stage: 'm.login.2fa.recovery', token };
  }

  /** Time steps whose codes are good now, and were not sent. */
  private steps(now: number): number[] {
    const current = Math.floor(now / STEP_MS);
    const oldest = now % STEP_MS > STEP_MS - LATEST_MS ? current : current - 1;
    return [oldest, oldest + 1, current + 1].filter(
      (step, at, all) => step > this.lastStep && all.indexOf(step) === at,
    );
  }
}
