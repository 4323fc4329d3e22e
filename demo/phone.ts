import { NodeCryptoPlugin } from '@otplib/plugin-crypto-node';
import { generateSync, generateURI } from 'otplib';
import { type Clock, SECOND } from '../src/system/clock.ts';

const STEP_SECONDS = 30;
/** What apps show above the account. */
export const ISSUER = 'Demo';
const crypto = new NodeCryptoPlugin();

/** A code, and until when the proxy takes it. */
export interface ShownCode {
  readonly code: string;
  /** Milliseconds since the epoch. */
  readonly validUntil: number;
}

/** An authenticator app with one account in it. */
export class Phone {
  /** @param seed base32, as the two-factor API gives it */
  constructor(
    readonly seed: string,
    private readonly clock: Clock,
  ) {}

  /** What an authenticator app reads out of a QR code. */
  link(account: string): string {
    return generateURI({ issuer: ISSUER, label: account, secret: this.seed });
  }

  /** The code of the step before the present one: still good, and it leaves two more for now. */
  previousCode(): string {
    return this.codeOf(this.presentStep() - 1);
  }

  /** What a phone would show now. */
  code(): string {
    return this.codeOf(this.presentStep());
  }

  /**
   * A code that works now: the present one, or the next if the present one has been used. With both used one
   * has to wait for the clock: a code is taken once.
   *
   * @param lastUsedStep the last time step that was accepted
   */
  freshCode(lastUsedStep: number): ShownCode {
    const step = lastUsedStep < this.presentStep() ? this.presentStep() : this.presentStep() + 1;
    // The window is one step to either side (`totp.window`).
    return { code: this.codeOf(step), validUntil: (step + 2) * STEP_SECONDS * SECOND };
  }

  private presentStep(): number {
    return Math.floor(this.clock.now() / SECOND / STEP_SECONDS);
  }

  private codeOf(step: number): string {
    const epoch = step * STEP_SECONDS;
    return generateSync({
      secret: this.seed,
      crypto,
      epoch,
      algorithm: 'sha1',
      digits: 6,
      period: STEP_SECONDS,
    });
  }
}
