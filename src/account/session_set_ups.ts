import type { SetUpPage, ShownSecret } from '../factors/description.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { EnrolmentConfirmRequest } from '../matrix/shapes.ts';
import { parseStrictJson } from '../matrix/strict_json.ts';
import { ENROLMENT_STAGE, type Json, type JsonObject } from '../matrix/wire.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { OwedEnrolment } from '../second_factor/owed_enrolment.ts';
import type { Write } from '../storage/statement.ts';
import { enrolling, isConfirmed } from '../storage/tables/factor_changes.ts';
import type { SetUpOfSession } from '../storage/tables/session_enrolment.ts';
import type { Replaces } from '../storage/tables/setups.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { type Session, standingOf } from '../uia/session.ts';
import type { AccountDeps } from './account_deps.ts';
import type { BegunSetUp, ReadyConfirmation, SettableFactor, SetUpOwner, SetUps } from './set_ups.ts';

export interface SessionSetUpDeps extends Pick<AccountDeps, 'factors' | 'standings' | 'storage'> {
  readonly engine: UiaEngine;
  readonly holds: Pick<HeldLogins, 'giveMoreTime' | 'find' | 'open' | 'endFree'>;
  readonly enrolment: OwedEnrolment;
}

/** What is set up, and by which sign-in. */
export interface WantedInSession {
  readonly session: string;
  readonly factor: string;
  readonly name?: string | undefined;
  readonly replaces?: Replaces | undefined;
}

/** An authenticator that was set up during a sign-in. */
export interface EnrolledNow {
  readonly authenticatorId: string;
  /** In the order in which they are shown, for the only time. */
  readonly recoveryCodes: readonly string[];
}

/** A first proof as a form brings it: a code that was typed, or what the browser answered, as JSON. */
export interface SentFirstProof {
  readonly session: string;
  readonly setupId: string;
  readonly sent: string;
  /** The name of the authenticator, if its user gave it one. */
  readonly name?: string | undefined;
}

/** Where the set-up of a sign-in stands. */
export interface EnrolmentState {
  readonly is: 'wanted' | 'done';
  /** When the sign-in began, in ms since the epoch. */
  readonly openedAt: number;
}

/** A factor that pages can set up. */
export interface SetUpKind {
  readonly kind: string;
  readonly is: SetUpPage['is'];
}

/** What a page shows of a set-up that waits for its first proof. */
export type ShownSetUp = { readonly setupId: string } & (
  | ({ readonly is: 'secret' } & ShownSecret)
  /** With the options of the browser. */
  | { readonly is: 'passkey'; readonly question: JsonObject }
);

/** What goes on record when a set-up of a sign-in is confirmed. */
export interface ConfirmedInSession {
  readonly client: ClientRequest['client'];
  readonly session: Session;
  readonly settable: SettableFactor;
  readonly ready: ReadyConfirmation;
}

/**
 * Setting an authenticator up during a sign-in, by the session of the sign-in alone: its password was right, and its login
 * is held. Until the confirmation nothing changes; it completes the stage of the set-up, and all else that the user
 * has begun ends.
 */
export abstract class SessionSetUps {
  /** What a confirmation comes to. */
  protected abstract readonly is: SetUpOfSession['is'];

  constructor(
    protected readonly deps: SessionSetUpDeps,
    private readonly setUps: SetUps,
  ) {}

  /** The live session of a sign-in in which something may be set up. @throws Refusal unknown_sign_in, owes_no_enrolment */
  protected abstract requireOpen(id: string): Promise<Session>;

  /** The live session of a sign-in. @throws Refusal unknown_sign_in */
  protected async requireLive(id: string): Promise<Session> {
    const session = await this.deps.engine.find(id);
    if (session === undefined) throw new Refusal('unknown_sign_in');
    return session;
  }

  /** Whether factors and password still are those under which a sign-in was proven by a factor (R12). */
  protected async isUnchanged({ binding, version }: Session): Promise<boolean> {
    const standing = await this.deps.standings.of(binding.userId);
    return standing.is === 'owes_factor' && standing.version === version;
  }

  /** The request to recover the account that a confirmation makes use of. */
  protected recovers(_session: Session): string | undefined {
    return undefined;
  }

  /** Asked after the first proof was right, before anything is written. @throws Refusal */
  protected async requireReady(_request: ClientRequest, _session: Session): Promise<void> {}

  /** What is written with a confirmation. */
  protected abstract recorded(confirmed: ConfirmedInSession): Promise<Write>;

  /** @throws Refusal unknown_sign_in, owes_no_enrolment; invalid_param if users cannot set this factor up */
  async begin({ client }: ClientRequest, wanted: WantedInSession): Promise<BegunSetUp> {
    const { session: id, factor, name, replaces } = wanted;
    const session = await this.requireOpen(id);
    client.record?.isOf(session.binding.userId, null);
    const allowed = await this.deps.enrolment.factorsFor(session.binding.userId);
    if (!allowed.includes(factor)) throw otherFactor();
    const settable = this.requireSettable(factor);
    return this.setUps.begin(settable, ownerOf(await this.withMoreTime(session)), { name, replaces });
  }

  /** To install an app takes longer than to read a code: the login is held so much longer, once. */
  private async withMoreTime(session: Session): Promise<Session> {
    if (session.holdId !== null) await this.deps.holds.giveMoreTime(session.holdId, session.idHash);
    return this.requireOpen(session.id);
  }

  /** The factors that a page can set up for a user. */
  async kindsForPages(userId: string): Promise<readonly SetUpKind[]> {
    const allowed = await this.deps.enrolment.factorsFor(userId);
    return allowed.flatMap((kind) => {
      const page = this.deps.factors.ofKind(kind)?.setUp?.page;
      return page === undefined ? [] : [{ kind, is: page.is }];
    });
  }

  /** The same in a sign-in. @throws Refusal unknown_sign_in, owes_no_enrolment */
  async kindsIn(id: string): Promise<readonly SetUpKind[]> {
    return this.kindsForPages((await this.requireOpen(id)).binding.userId);
  }

  /**
   * What a page shows of the set-up that this session has begun.
   * @throws Refusal unknown_sign_in, owes_no_enrolment, unknown_setup
   */
  async shown(id: string, setupId: string): Promise<ShownSetUp> {
    const session = await this.requireOpen(id);
    const setup = await this.setUps.require(setupId, ownerOf(session));
    const { page } = this.requireSettable(setup.kind).setUp;
    if (page === undefined) throw new Refusal('unknown_setup');
    const secret = this.setUps.secretOf(setup);
    return page.is === 'secret'
      ? { setupId, is: page.is, ...page.shown(setup.userId, secret) }
      : { setupId, is: page.is, question: await page.question(setup.userId, secret) };
  }

  /**
   * @throws Refusal unknown_sign_in, owes_no_enrolment, unknown_setup, wrong_setup_code, missing_param, bad_json;
   *   limit_exceeded if it is being confirmed, or hashes wait
   */
  async confirm(
    request: ClientRequest,
    { session: id, recovery_codes: codes, ...body }: EnrolmentConfirmRequest,
    name?: string,
  ): Promise<EnrolledNow> {
    const session = await this.requireOpen(id);
    request.client.record?.isOf(session.binding.userId, null);
    const setup = await this.setUps.require(body.setup_id, ownerOf(session));
    const settable = this.requireSettable(setup.kind);
    const { proof } = settable.setUp.read(body);
    return this.setUps.confirm(setup, settable, { proof, codes, name }, (ready) =>
      this.enrol(request, session, settable, ready),
    );
  }

  /** The same with what the form of a page brings. @throws Refusal as `confirm` */
  async confirmSent(
    request: ClientRequest,
    { session: id, setupId, sent, name }: SentFirstProof,
  ): Promise<EnrolledNow> {
    const owner = ownerOf(await this.requireOpen(id));
    const { factor, setUp } = this.requireSettable((await this.setUps.require(setupId, owner)).kind);
    const proof = setUp.page?.is === 'passkey' ? jsonIn(sent) : sent;
    return this.confirm(request, { session: id, setup_id: setupId, [factor.proofField]: proof }, name);
  }

  /** Where the set-up of a sign-in stands; undefined if there is none in this session. */
  async stateOf(id: string): Promise<EnrolmentState | undefined> {
    const session = await this.deps.engine.find(id);
    const standing = session && standingOf(session, ENROLMENT_STAGE);
    if (session === undefined || standing === 'out_of_order') return undefined;
    return { is: standing === 'done' ? 'done' : 'wanted', openedAt: session.openedAt };
  }

  private async enrol(
    request: ClientRequest,
    session: Session,
    settable: SettableFactor,
    ready: ReadyConfirmation,
  ): Promise<EnrolledNow> {
    const { client } = request;
    await this.requireReady(request, session);
    const { storage } = this.deps;
    const { userId, authenticatorId } = ready.confirmation;
    const { begunBy } = ownerOf(session);
    const signIn = {
      ...{ session, begunBy, stage: ENROLMENT_STAGE, holdId: session.holdId, is: this.is },
      recovers: this.recovers(session),
    };
    const also = await this.recorded({ client, session, settable, ready });
    if (!isConfirmed(await storage.commit([userId], enrolling(ready.confirmation, signIn, also)))) {
      await this.requireOpen(session.id);
      throw new Refusal('unknown_setup');
    }
    await this.setUps.added(userId, client);
    return { authenticatorId, recoveryCodes: ready.shown };
  }

  private requireSettable(kind: string): SettableFactor {
    const factor = this.deps.factors.ofKind(kind);
    if (factor?.setUp === undefined) throw otherFactor();
    return { factor, setUp: factor.setUp };
  }
}

/** @throws Refusal bad_json: nothing was judged or counted */
function jsonIn(sent: string): Json {
  try {
    return parseStrictJson(Buffer.from(sent));
  } catch {
    throw new Refusal('bad_json');
  }
}

function otherFactor(): Refusal {
  return new Refusal('invalid_param', { text: '`factor` must be one of those that the challenge names.' });
}

/** No access token has such a hash: only this session goes on with what it begins. */
function ownerOf({ binding, idHash, expiresAt }: Session): SetUpOwner {
  return { userId: binding.userId, begunBy: `session:${idHash}`, endsAt: expiresAt };
}
