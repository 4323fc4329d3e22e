import type { Homeserver, HomeserverAnswer, WhenLate } from '../homeserver/homeserver.ts';
import { saysDone } from '../homeserver/relay.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { GuardedEndpoint } from '../http/routes.ts';
import { type JsonObject, SSO_STAGE } from '../matrix/wire.ts';
import { readChallenge } from './homeserver_challenge.ts';
import type { MissingEndpoints } from './missing_endpoints.ts';
import type { OwnerSession } from './owner_session.ts';
import { isFirstProven } from './password_probe.ts';
import type { Pending } from './pending.ts';
import type { OwnedRequest } from './session_of_request.ts';
import { isDone, readVerdict, unrelated, type Verdict, verdictIn } from './verdict.ts';

/** What goes to the homeserver of a guarded request, and what its answer says of the proof. */
export class GuardedCall {
  private whenLate: WhenLate | undefined;

  constructor(
    private readonly deps: { readonly homeserver: Homeserver; readonly missing: MissingEndpoints },
    private readonly endpoint: GuardedEndpoint,
    private readonly request: ClientRequest,
  ) {}

  /** @param follow gets the answer that says that it is done, where that comes when the client has been refused */
  follows(follow: (answer: HomeserverAnswer) => Promise<unknown>): void {
    this.whenLate = async (late) => {
      if (saysDone(late)) await follow(late);
    };
  }

  /** What the homeserver says of the proof in the request itself, or of a probe before it. @throws Refusal */
  async judge(owned: OwnedRequest, owner: OwnerSession, pending: Pending): Promise<Verdict> {
    const isProbed = this.endpoint.judge === 'probe' && pending.homeserverStages === undefined;
    if (isProbed) return this.sendAfterProbe(owned, pending);
    const verdict = await this.sendWithProof(owned, pending);
    // Where a code was cut off the field, the whole may be the password.
    const other = verdict.is === 'wrong_password' ? owner.otherReading(pending) : undefined;
    return other === undefined ? verdict : this.sendWithProof(owned, other);
  }

  /** ONE request: the real body with a one-shot `auth` pinned to the token's owner (R6). */
  private async sendWithProof(owned: OwnedRequest, pending: Pending): Promise<Verdict> {
    const sent = { ...pending.body, auth: pending.auth };
    const answer = await this.send(sent, owned.caller.token);
    const verdict = readVerdict(answer, sent, pending, owned.requirement === 'fresh_sign_in');
    return verdict.is === 'unclear' ? this.tellApart(owned, pending, answer, sent) : verdict;
  }

  /** The answer may be about the password, or not: a probe tells which it is. */
  private async tellApart(
    { caller, request, requirement }: OwnedRequest,
    pending: Pending,
    answer: HomeserverAnswer,
    sent: JsonObject,
  ): Promise<Verdict> {
    const { token, owner } = caller;
    const { password, body } = pending;
    const { verdict } = await this.deps.homeserver.judgePassword({
      token,
      userId: owner.userId,
      password,
      client: request.client,
    });
    if (verdict === 'wrong') return { is: 'wrong_password' };
    if (verdict !== 'no_password') return unrelated(answer, sent);
    const challenge = readChallenge(await this.send(body, token), body);
    return challenge === undefined
      ? unrelated(answer, sent)
      : verdictIn(challenge, pending, requirement === 'fresh_sign_in');
  }

  private async sendAfterProbe(owned: OwnedRequest, pending: Pending): Promise<Verdict> {
    const { body } = pending;
    const isRight = await isFirstProven(this.deps.homeserver, owned, pending);
    if (!isRight) return { is: 'wrong_password' };
    const answer = await this.send(body, owned.caller.token);
    const wanted = readChallenge(answer, body);
    // A homeserver that asks for a proof here after all gets it, or leads one who has no password to its own page.
    if (wanted !== undefined) {
      return owned.first === 'provider'
        ? verdictIn(wanted, withoutSignOn(pending), false)
        : this.sendWithProof(owned, pending);
    }
    return isDone(answer) ? { is: 'accepted', answer } : unrelated(answer, body);
  }

  /** @throws Refusal */
  async send(
    body: JsonObject,
    token: string | undefined,
    { search = this.request.search, signal }: { search?: string; signal?: AbortSignal | undefined } = {},
  ): Promise<HomeserverAnswer> {
    const { method, path, client } = this.request;
    const answer = await this.deps.homeserver.call({
      method,
      path: path + search,
      body,
      client,
      signal,
      ...(token === undefined ? {} : { token }),
      ...(this.whenLate === undefined ? {} : { whenLate: this.whenLate }),
    });
    this.deps.missing.learnFrom(answer, this.request);
    return answer;
  }
}

/** The single sign-on of our page is not that of the homeserver's session, which may ask for it again. */
function withoutSignOn(pending: Pending): Pending {
  const completed = pending.session.completed.filter((stage) => stage !== SSO_STAGE);
  return { ...pending, session: { ...pending.session, completed } };
}
