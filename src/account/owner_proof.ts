import type { Answer } from '../http/answer.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type {
  AwaitingJudge,
  OwnedRequest,
  OwnerAuthentication,
} from '../second_factor/owner_authentication.ts';
import type { PasswordProbe } from '../second_factor/password_probe.ts';

/** What came of asking owners for their proof. */
export type OwnerProof =
  | { readonly kind: 'answer'; readonly answer: Answer }
  /** Proven, once; `body` is what the request was for. */
  | { readonly kind: 'proven'; readonly body: JsonObject };

/** The proof that every change of factors needs (attack 89): the second factor where it is on, and the password. */
export class OwnerProofs {
  constructor(
    private readonly owners: OwnerAuthentication,
    private readonly passwordProbe: PasswordProbe,
  ) {}

  /** @throws Refusal */
  async require(asked: Omit<OwnedRequest, 'requireSound'>): Promise<OwnerProof> {
    // Nothing in these bodies goes to the homeserver, and their shapes have no key that must be there.
    const owned: OwnedRequest = { ...asked, requireSound: () => undefined };
    const step = await this.owners.step(owned);
    if (step.kind === 'answer') return step;
    const judge = () => this.judge(owned, step);
    const proof = await this.owners.inTurn(owned, step, judge, ({ kind }) => kind === 'proven');
    return proof ?? { kind: 'answer', answer: await this.owners.standing(step.session) };
  }

  private async judge(owned: OwnedRequest, awaiting: AwaitingJudge): Promise<OwnerProof> {
    const wrong = await this.passwordProbe.judge(owned, awaiting);
    if (wrong !== undefined) return { kind: 'answer', answer: wrong };
    if (!(await this.owners.passed(awaiting))) {
      return { kind: 'answer', answer: await this.owners.again(owned, awaiting) };
    }
    return { kind: 'proven', body: awaiting.body };
  }
}
