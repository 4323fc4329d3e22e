import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import { waitMs } from '../homeserver/retry_after.ts';
import type { ClientRequest } from '../http/client_request.ts';
import type { Lanes } from '../limits/lanes.ts';
import { Refusal } from '../matrix/refusals.ts';
import { foldLocalpart } from '../matrix/user_id.ts';
import {
  type Flow,
  type JsonObject,
  LOGIN_PATH,
  PASSWORD_STAGE,
  RECOVERY_STAGE,
  TOKEN_LOGIN,
} from '../matrix/wire.ts';
import type { Challenges } from '../second_factor/challenges.ts';
import { readIdentity } from '../second_factor/claimed_identity.ts';
import { type CodeStep, type FactorPassed, passedIn } from '../second_factor/code_step.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { JoinKeys } from '../second_factor/join_keys.ts';
import type { Passes } from '../second_factor/passes.ts';
import type { PresentedCodes } from '../second_factor/presented.ts';
import type { SecondFactors } from '../second_factor/second_factors.ts';
import type { StandingPasses, Standings } from '../second_factor/standing.ts';
import type { FactorStore } from '../storage/tables/factors.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { MINUTE } from '../system/clock.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { isSatisfied, type Session } from '../uia/session.ts';
import { type LineOutcome, refusedAnswer, refusedOutcome, thrownOutcome } from './line_leases.ts';
import { type LoginBody, readLoginBody } from './login_body.ts';
import type {
  PageCode,
  PageCodeOutcome,
  PageCredentials,
  PageDoor,
  PageStanding,
  PageTicket,
  ProviderReturn,
} from './page_door.ts';
import type { Readings } from './readings.ts';
import type { SignInLine } from './sign_in_line.ts';
import type { GrantedLogin, LoginOutcome, UpstreamLogin } from './upstream_login.ts';

/** What sessions of the page are for: no client can go on with one, and no fallback page. */
const TARGET = 'page /_2fa/login';
/** How long a homeserver's login token may be on its way to the client: as long as our own. */
const PASSED_TOKEN_MS = 2 * MINUTE;
/** How long a hold is reserved for the moment of its end. */
const CLAIM_MS = MINUTE;

/** A sign-in with name and password. */
interface TypedSignIn {
  readonly password: string | undefined;
  readonly keys: JoinKeys;
}

/** What came of a password. */
type Proof = { readonly hold: HeldLogin } | { readonly refusal: Refusal };

export interface PageSignInDeps {
  readonly engine: UiaEngine;
  readonly factors: FactorStore;
  readonly secondFactors: SecondFactors;
  readonly presented: PresentedCodes;
  readonly challenges: Challenges;
  readonly codeStep: CodeStep;
  readonly holds: HeldLogins;
  readonly upstream: UpstreamLogin;
  readonly passes: Passes;
  readonly standings: Standings;
  readonly line: SignInLine;
  readonly lanes: Lanes;
  readonly readings: Readings;
}

/**
 * The sign-in page's way through the gate: the homeserver judges the password, what it grants is held for
 * everyone, and a user with 2FA on brings a code before they get a login token for it (R1, R5, R12).
 */
export class PageSignIn implements PageDoor {
  constructor(private readonly deps: PageSignInDeps) {}

  /** @throws Refusal */
  async begin(
    from: ClientRequest,
    { name, password, browser, redirectUrl }: PageCredentials,
  ): Promise<PageStanding> {
    const identifier = identifierOf(name);
    const request = await this.byBrowser(from, readIdentity({ identifier }).foldedNames, browser);
    const proof = await this.proveOrJoin(request, identifier, password);
    if ('refusal' in proof) throw proof.refusal;
    return this.open(request, proof.hold, PASSWORD_STAGE, { redirect_url: redirectUrl }, password);
  }

  /** The request, counted by its browser where one of these users has passed a factor in it. */
  private async byBrowser(
    request: ClientRequest,
    foldedNames: readonly string[],
    browser: string | undefined,
  ): Promise<ClientRequest> {
    const knownBrowser = browser && (await this.deps.lanes.knownBrowser(foldedNames, browser));
    return knownBrowser === undefined ? request : { ...request, client: { ...request.client, knownBrowser } };
  }

  /** Joins an equal sign-in, or has the password judged in its turn (R12). */
  private async proveOrJoin(
    request: ClientRequest,
    identifier: JsonObject,
    password: string,
  ): Promise<Proof> {
    const signIn = readLoginBody({ type: PASSWORD_STAGE, identifier, password });
    const keys = this.deps.readings.joinKeys(signIn, password);
    const join = async (): Promise<Proof | undefined> => {
      const hold = await this.deps.holds.findToJoin(keys);
      return hold && { hold };
    };
    const ask = () => this.ask(request, signIn, keys);
    const joined = await join();
    if (joined !== undefined) return joined;
    const key = await this.deps.readings.lineKey(signIn);
    if (key === undefined) return (await ask()).answer;
    return this.deps.line.ask<Proof>({ key, join, ask, refuse: refusalHeard });
  }

  /** @throws Refusal */
  async beginWithToken(request: ClientRequest, returned: ProviderReturn): Promise<PageStanding> {
    const body = { type: TOKEN_LOGIN, token: returned.loginToken };
    const granted = await this.login(request, body);
    if (granted.kind === 'refused') throw refusalOf(granted.answer);
    const hold = await this.hold(granted, undefined);
    const { provider, redirectUrl } = returned;
    return this.open(request, hold, TOKEN_LOGIN, { redirect_url: redirectUrl, provider });
  }

  async find(id: string): Promise<PageStanding | undefined> {
    const found = await this.sessionOf(id);
    return found && this.standing(found.session);
  }

  /** @throws Refusal */
  async submitCode(
    request: ClientRequest,
    id: string,
    { code, kind, browser }: PageCode,
  ): Promise<PageCodeOutcome | undefined> {
    const found = await this.sessionOf(id);
    if (found === undefined) return undefined;
    const { session } = found;
    if (isSatisfied(session.flows, session.completed)) {
      return { kind: 'accepted', standing: await this.standing(session) };
    }
    const presented = this.deps.presented.inField(code, kind);
    const { client } = await this.byBrowser(request, [foldLocalpart(session.binding.userId)], browser);
    const outcome = await this.deps.codeStep.take(session, presented, { client, browser });
    switch (outcome.is) {
      case 'passed':
        return { kind: 'accepted', standing: await this.standing(outcome.session) };
      case 'missing':
        return { kind: 'missing', standing: await this.standing(session) };
      case 'refused':
        return outcome.isOver ? undefined : { kind: 'refused', standing: await this.standing(session) };
      case 'out_of_order':
        return { kind: 'refused', standing: await this.standing(session) };
      case 'gone':
        return undefined;
    }
  }

  async issueTicket(request: ClientRequest, id: string): Promise<PageTicket | undefined> {
    const found = await this.sessionOf(id);
    if (found === undefined) return undefined;
    const { session } = found;
    const proof = await this.proofOf(session);
    if (proof === undefined) return undefined;
    const hold = found.hold ?? (await this.signInAgain(request, session));
    if (hold === undefined) return undefined;
    const provider = providerOf(session);
    if (provider !== undefined) return this.sendToProvider(session, hold, provider);
    if (!(await this.deps.engine.finish(session))) return undefined;
    const loginToken = await this.deps.passes.issue(hold, proof);
    return { kind: 'client', redirectUrl: redirectUrlOf(session), loginToken };
  }

  async passProviderToken(id: string, loginToken: string): Promise<string | undefined> {
    const session = await this.deps.engine.find(id);
    if (session?.binding.target !== TARGET || providerOf(session) === undefined) return undefined;
    if (!(await this.deps.engine.finish(session))) return undefined;
    if (passedIn(session) !== undefined) {
      await this.deps.passes.remember(loginToken, session.binding.userId, PASSED_TOKEN_MS);
    }
    return redirectUrlOf(session);
  }

  /** Undefined if something is left to prove, or factors or password were changed meanwhile. */
  private async proofOf(session: Session): Promise<FactorPassed | StandingPasses | undefined> {
    if (!isSatisfied(session.flows, session.completed)) return undefined;
    const passed = passedIn(session);
    const standing = await this.deps.standings.of(session.binding.userId);
    if (standing.is === 'passes') return passed ?? standing.proof;
    return session.version === standing.version ? passed : undefined;
  }

  /**
   * The held login of this sign-in is gone: another sign-in took it, or many others pushed it out. Its password is
   * judged once more, and no code is asked for again. Undefined if the password no longer is that user's.
   */
  private async signInAgain(request: ClientRequest, session: Session): Promise<HeldLogin | undefined> {
    const { userId } = session.binding;
    if (session.password === undefined) return undefined;
    const user = { type: 'm.id.user', user: userId };
    const proof = await this.proveOrJoin(request, user, session.password);
    if ('hold' in proof) return proof.hold.userId === userId ? proof.hold : undefined;
    if (proof.refusal.refusal === 'login_refused') return undefined;
    throw proof.refusal;
  }

  /** The login that told who it is has done its part: the next sweep logs it out. */
  private async sendToProvider(
    session: Session,
    hold: HeldLogin,
    provider: string,
  ): Promise<PageTicket | undefined> {
    const { idHash } = session;
    if (!(await this.deps.holds.claim(hold, idHash, CLAIM_MS))) return undefined;
    // Ended meanwhile, by a change of factors: its session may be left, and proves nothing.
    if (!(await this.deps.holds.end(hold, idHash))) return undefined;
    return { kind: 'provider', provider };
  }

  /** Has the homeserver judge the password; what it grants is held. */
  private async ask(
    request: ClientRequest,
    signIn: LoginBody,
    keys: JoinKeys,
  ): Promise<{ answer: Proof; outcome: LineOutcome }> {
    const granted = await this.login(request, signIn.body);
    if (granted.kind === 'refused') {
      return { answer: { refusal: refusalOf(granted.answer) }, outcome: refusedOutcome(granted.answer) };
    }
    const hold = await this.hold(granted, { password: signIn.password, keys });
    // The login of an account without 2FA is not joined.
    return { answer: { hold }, outcome: { is: hold.joinKey === null ? 'passed' : 'held' } };
  }

  private async login(
    request: ClientRequest,
    body: JsonObject,
  ): Promise<Exclude<LoginOutcome, { kind: 'without_token' }>> {
    const outcome = await this.deps.upstream.attempt({
      // The query in the address of the page is not for the homeserver.
      request: { ...request, search: '' },
      path: LOGIN_PATH,
      body,
    });
    if (outcome.kind === 'without_token') throw new Refusal('homeserver_unclear');
    return outcome;
  }

  private async hold(granted: GrantedLogin, typed: TypedSignIn | undefined): Promise<HeldLogin> {
    try {
      // The login of an account without 2FA is neither joined nor counted: every door gives it out at once.
      const standing = await this.deps.standings.of(granted.grant.userId);
      const enrolled = standing.is === 'owes_factor';
      const { hold, isOwn } = await this.deps.holds.keep({
        grant: granted.grant,
        password: typed?.password,
        joinKeys: enrolled ? typed?.keys : undefined,
        usesAllowance: enrolled && typed !== undefined,
        atEnd: 'logout',
        version: enrolled ? standing.version : undefined,
      });
      if (!isOwn) await this.deps.upstream.discard(granted.grant);
      return hold;
    } catch (error) {
      await this.deps.upstream.discard(granted.grant);
      throw error;
    }
  }

  /** @param proven the login type that the homeserver judged */
  private async open(
    { client }: ClientRequest,
    hold: HeldLogin,
    proven: string,
    body: JsonObject,
    password?: string,
  ): Promise<PageStanding> {
    const { userId } = hold;
    const standing = await this.deps.standings.of(userId);
    const enrolled = standing.is === 'owes_factor';
    const stages = enrolled ? await this.deps.secondFactors.available(userId) : [];
    const withCode = stages.map((stage): Flow => [proven, stage]);
    const session = await this.deps.engine.open(
      { target: TARGET, userId, tokenHash: null },
      {
        flows: enrolled ? withCode : [[proven]],
        completed: [proven],
        body,
        holdId: hold.id,
        version: enrolled ? standing.version : undefined,
        password,
        client,
        endsAt: hold.expiresAt,
      },
    );
    return this.standing(session);
  }

  /** The live session of the page with this id, and what it holds, unless it has to sign in again. */
  private async sessionOf(
    id: string,
  ): Promise<{ session: Session; hold: HeldLogin | undefined } | undefined> {
    const session = await this.deps.engine.find(id);
    if (session?.binding.target !== TARGET || session.holdId === null) return undefined;
    const hold = await this.deps.holds.find(session.holdId);
    return hold === undefined && session.password === undefined ? undefined : { session, hold };
  }

  private async standing(session: Session): Promise<PageStanding> {
    const { userId } = session.binding;
    return {
      id: session.id,
      userId,
      redirectUrl: redirectUrlOf(session),
      provider: providerOf(session),
      codeWanted: !isSatisfied(session.flows, session.completed),
      kinds: this.deps.challenges.kindsIn(session),
      asked: await this.deps.challenges.of(session),
      recoveryCodesLeft: session.completed.includes(RECOVERY_STAGE)
        ? await this.recoveryCodesLeft(userId)
        : undefined,
    };
  }

  private async recoveryCodesLeft(userId: string): Promise<number> {
    const set = await this.deps.factors.recoverySet(userId);
    return set?.codes.filter((code) => code.usedAt === null).length ?? 0;
  }
}

/** Unknown, locked, deactivated or wrong: the page tells no difference (attack 63). */
function refusalOf(answer: HomeserverAnswer): Refusal {
  if (answer.status === 429) return new Refusal('limit_exceeded', { retryAfterMs: waitMs(answer) });
  return new Refusal(answer.status >= 500 ? 'homeserver_unreachable' : 'login_refused');
}

/** What an equal sign-in was refused. */
function refusalHeard(outcome: LineOutcome): Proof {
  const refused = refusedAnswer(outcome);
  return { refusal: refused === undefined ? thrownOutcome(outcome) : refusalOf(refused) };
}

function redirectUrlOf(session: Session): string {
  return String(session.body?.redirect_url);
}

function providerOf({ body }: Session): string | undefined {
  return typeof body?.provider === 'string' ? body.provider : undefined;
}

/** An e-mail address signs in where the homeserver knows whose it is. */
function identifierOf(name: string): JsonObject {
  const isAddress = /^[^@\s]+@[^@\s]+$/.test(name);
  return isAddress
    ? { type: 'm.id.thirdparty', medium: 'email', address: name }
    : { type: 'm.id.user', user: name };
}
