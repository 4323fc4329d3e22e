import type { Clock } from '../../system/clock.ts';
import type { Vault } from '../../vault/vault.ts';

/** What a question belongs to: one form of one visit of one browser. */
export interface AskingForm {
  /** The token of the form, which is the browser's. */
  readonly token: string;
  readonly visit: string;
  readonly turn: number;
}

const PURPOSE = 'lone-question';

/**
 * The questions of the sign-in page for a sign-in by a factor alone. Nothing is kept for them: everyone may see the
 * page, and it changes nothing. A question says when it was made, and only this server can make one.
 */
export class LoneQuestions {
  constructor(
    private readonly vault: Vault,
    private readonly clock: Clock,
    private readonly livesMs: number,
  ) {}

  /** No one can guess it: the id of a visit is random, and so is what the token of the form is made of. */
  ask(form: AskingForm): Buffer {
    const madeAt = this.clock.now();
    return Buffer.from(`${madeAt}.${this.vault.digest(PURPOSE, textOf(form, madeAt))}`);
  }

  /** The question that came back in a form; undefined if it is not that form's, or too old. */
  read(written: string, form: AskingForm): Buffer | undefined {
    const question = Buffer.from(written, 'base64url');
    const [, made = '', digest = ''] = /^(\d{1,15})\.(.+)$/.exec(question.toString()) ?? [];
    const madeAt = Number(made);
    const age = this.clock.now() - madeAt;
    const isOpen = made !== '' && age >= 0 && age < this.livesMs;
    return isOpen && this.vault.isDigest(digest, PURPOSE, textOf(form, madeAt)) ? question : undefined;
  }
}

function textOf({ token, visit, turn }: AskingForm, madeAt: number): string {
  return JSON.stringify([token, visit, turn, madeAt]);
}
