import type { ShownSecret } from '../factors/description.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import type { EnrolmentConfirmRequest, EnrolmentRequest } from '../matrix/shapes.ts';
import { ENROLMENT_STAGE } from '../matrix/wire.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { OwedEnrolment } from '../second_factor/owed_enrolment.ts';
import { enrolling, isConfirmed } from '../storage/tables/factor_changes.ts';
import type { UiaEngine } from '../uia/engine.ts';
import { type Session, standingOf } from '../uia/session.ts';
import type { AccountDeps } from './account_deps.ts';
import type { BegunSetUp, ReadyConfirmation, SettableFactor, SetUpOwner, SetUps } from './set_ups.ts';

export interface EnrolmentDeps extends AccountDeps {
  readonly engine: UiaEngine;
  readonly holds: Pick<HeldLogins, 'giveMoreTime'>;
  readonly enrolment: OwedEnrolment;
}

/** An authenticator that was set up during a sign-in. */
export interface EnrolledNow {
  readonly authenticatorId: string;
  /** In the order in which they are shown, for the only time. */
  readonly recoveryCodes: readonly string[];
}

/** A first code as a person typed it. */
export interface TypedFirstCode {
  readonly session: string;
  readonly setupId: string;
  readonly typed: string;
}

/** Where the set-up of a sign-in stands. */
export interface EnrolmentState {
  readonly is: 'wanted' | 'done';
  /** When the sign-in began, in ms since the epoch. */
  readonly openedAt: number;
}

/** What a page shows of a set-up that waits for its first code. */
export interface ShownSetUp extends ShownSecret {
  readonly setupId: string;
}

/**
 * Setting a first factor up during a sign-in, by the session of the sign-in alone (spec/stages.md,
 * "m.login.2fa.enrol"): its password was right, and its login is held. Until the confirmation nothing changes; it
 * completes the stage, and all else that the user has begun ends.
 */
export class Enrolment {
  constructor(
    private readonly deps: EnrolmentDeps,
    private readonly setUps: SetUps,
  ) {}

  /** `POST …/org.matrix.2fa/enrolment`. @throws Refusal as `begin` */
  async handleBegin(request: ClientRequest): Promise<Answer> {
    const body = requireShape('enrolment_request', request.body ?? {});
    return { status: 200, body: await this.begin(request, body) };
  }

  /** `POST …/org.matrix.2fa/enrolment/confirm`. @throws Refusal as `confirm` */
  async handleConfirm(request: ClientRequest): Promise<Answer> {
    const body = requireShape('enrolment_confirm_request', request.body ?? {});
    const { authenticatorId, recoveryCodes } = await this.confirm(request, body);
    return {
      status: 200,
      body: { authenticator_id: authenticatorId, recovery_codes: [...recoveryCodes] },
    };
  }

  /** @throws Refusal unknown_sign_in, owes_no_enrolment; invalid_param if users cannot set this factor up */
  async begin(
    { client }: ClientRequest,
    { session: id, factor, name }: EnrolmentRequest,
  ): Promise<BegunSetUp> {
    const session = await this.requireOwing(id);
    client.record?.isOf(session.binding.userId, null);
    const allowed = await this.deps.enrolment.factorsFor(session.binding.userId);
    if (!allowed.includes(factor)) throw otherFactor();
    const settable = this.requireSettable(factor);
    return this.setUps.begin(settable, ownerOf(await this.withMoreTime(session)), { name });
  }

  /** To install an app takes longer than to read a code: the login is held so much longer, once. */
  private async withMoreTime(session: Session): Promise<Session> {
    if (session.holdId !== null) await this.deps.holds.giveMoreTime(session.holdId, session.idHash);
    return this.requireOwing(session.id);
  }

  /** The first of the factors that a page can set up for this user; undefined if there is none. */
  async kindForPages(id: string): Promise<string | undefined> {
    const session = await this.requireOwing(id);
    const allowed = await this.deps.enrolment.factorsFor(session.binding.userId);
    return allowed.find((kind) => this.deps.factors.ofKind(kind)?.setUp?.page !== undefined);
  }

  /**
   * What a page shows of the set-up that this session has begun.
   * @throws Refusal unknown_sign_in, owes_no_enrolment, unknown_setup
   */
  async shown(id: string, setupId: string): Promise<ShownSetUp> {
    const session = await this.requireOwing(id);
    const setup = await this.setUps.require(setupId, ownerOf(session));
    const { page } = this.requireSettable(setup.kind).setUp;
    if (page === undefined) throw new Refusal('unknown_setup');
    return { setupId, ...page.shown(setup.userId, this.setUps.secretOf(setup)) };
  }

  /**
   * @throws Refusal unknown_sign_in, owes_no_enrolment, unknown_setup, wrong_setup_code, missing_param, bad_json;
   *   limit_exceeded if it is being confirmed, or hashes wait
   */
  async confirm(
    request: ClientRequest,
    { session: id, recovery_codes: codes, ...body }: EnrolmentConfirmRequest,
  ): Promise<EnrolledNow> {
    const session = await this.requireOwing(id);
    request.client.record?.isOf(session.binding.userId, null);
    const setup = await this.setUps.require(body.setup_id, ownerOf(session));
    const settable = this.requireSettable(setup.kind);
    const { proof } = settable.setUp.read(body);
    return this.setUps.confirm(setup, settable, { proof, codes }, (ready) =>
      this.enrol(request, session, settable, ready),
    );
  }

  /** The same with a code that was typed into a page. @throws Refusal as `confirm` */
  async confirmTyped(
    request: ClientRequest,
    { session: id, setupId, typed }: TypedFirstCode,
  ): Promise<EnrolledNow> {
    const setup = await this.setUps.require(setupId, ownerOf(await this.requireOwing(id)));
    const { proofField } = this.requireSettable(setup.kind).factor;
    return this.confirm(request, { session: id, setup_id: setupId, [proofField]: typed });
  }

  /** Where the set-up of a sign-in stands; undefined if there is none in this session. */
  async stateOf(id: string): Promise<EnrolmentState | undefined> {
    const session = await this.deps.engine.find(id);
    const standing = session && standingOf(session, ENROLMENT_STAGE);
    if (session === undefined || standing === 'out_of_order') return undefined;
    return { is: standing === 'done' ? 'done' : 'wanted', openedAt: session.openedAt };
  }

  async isDone(id: string): Promise<boolean> {
    return (await this.stateOf(id))?.is === 'done';
  }

  private async enrol(
    { client }: ClientRequest,
    session: Session,
    { factor }: SettableFactor,
    { confirmation, shown }: ReadyConfirmation,
  ): Promise<EnrolledNow> {
    const { audit, lanes, mark, storage } = this.deps;
    const { userId, authenticatorId } = confirmation;
    const { begunBy } = ownerOf(session);
    const entry = { userId, client, detail: { authenticator: authenticatorId } };
    const signIn = { session, begunBy, stage: ENROLMENT_STAGE, holdId: session.holdId };
    const unit = enrolling(confirmation, signIn, [
      audit.recorded({ ...entry, event: `${factor.kind}.enabled` }),
      audit.recorded({ ...entry, event: 'login.enrolled' }),
    ]);
    if (!isConfirmed(await storage.commit([userId], unit))) {
      await this.requireOwing(session.id);
      throw new Refusal('unknown_setup');
    }
    await mark.keep();
    await lanes.remember(userId, client);
    return { authenticatorId, recoveryCodes: shown };
  }

  /** The live session of a sign-in that waits for a set-up. */
  private async requireOwing(id: string): Promise<Session> {
    const session = await this.deps.engine.find(id);
    if (session === undefined) throw new Refusal('unknown_sign_in');
    if (standingOf(session, ENROLMENT_STAGE) !== 'next') throw new Refusal('owes_no_enrolment');
    const { is } = await this.deps.standings.of(session.binding.userId);
    // Set up by another sign-in at this moment, or no longer wanted by the operator.
    if (is === 'owes_factor' || is === 'may_not_enrol') throw new Refusal('owes_no_enrolment');
    return session;
  }

  private requireSettable(kind: string): SettableFactor {
    const factor = this.deps.factors.ofKind(kind);
    if (factor?.setUp === undefined) throw otherFactor();
    return { factor, setUp: factor.setUp };
  }
}

function otherFactor(): Refusal {
  return new Refusal('invalid_param', { text: '`factor` must be one of those that the challenge names.' });
}

/** No access token has such a hash: only this session goes on with what it begins. */
function ownerOf({ binding, idHash, expiresAt }: Session): SetUpOwner {
  return { userId: binding.userId, begunBy: `session:${idHash}`, endsAt: expiresAt };
}
