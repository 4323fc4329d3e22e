import type { BegunRecovery, RecoveryBegin } from '../account_recovery/begin.ts';
import type { CalendarOf } from '../account_recovery/frozen_calendar.ts';
import type { RecoveringUser, RecoveryTelling } from '../account_recovery/seams.ts';
import { shownRecovery } from '../account_recovery/status.ts';
import { rebuildError } from '../homeserver/safe_error.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { Refusal } from '../matrix/refusals.ts';
import { requireShape } from '../matrix/registry.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { AppserviceTokens } from '../second_factor/appservices.ts';
import type { HeldLogins } from '../second_factor/held_logins.ts';
import type { Storage } from '../storage/storage.ts';
import type { HeldLogin } from '../storage/tables/holds.ts';
import { findLastRecovery } from '../storage/tables/recovery_requests.ts';
import { MINUTE } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import type { PageLogin } from './page_login.ts';

/** How long a login that is not held is reserved for its end. */
const CLAIM_MS = MINUTE;

export interface RecoveryDoorDeps {
  readonly login: PageLogin;
  readonly holds: HeldLogins;
  readonly appservices: AppserviceTokens;
  readonly storage: Pick<Storage, 'read'>;
  readonly random: RandomSource;
  readonly recovery: {
    readonly enabled: boolean;
    readonly begin: RecoveryBegin;
    readonly telling: Pick<RecoveryTelling, 'shown'>;
    readonly calendarOf: CalendarOf;
  };
}

/** What a body of this door has to hold. */
interface Credentials extends JsonObject {
  identifier: JsonObject;
  password: string;
}

/**
 * The API of account recovery. The homeserver judges the password, in a sign-in like any other: equal ones share the login
 * that it grants, so that these requests use up no more of the owner's allowance than sign-ins do (R12). Before it
 * has found the password right nothing depends on the account.
 */
export class RecoveryDoor {
  constructor(private readonly deps: RecoveryDoorDeps) {}

  /** `POST …/org.matrix.2fa/recovery_request`. @throws Refusal as `RecoveryBegin.begin`; unrecognized, forbidden */
  async begin(request: ClientRequest): Promise<Answer> {
    this.requireOn(request);
    const { voucher, ...body } = requireShape('recovery_begin_request', request.body ?? {});
    return this.withUser(request, body, async (user) => {
      const begun = await this.deps.recovery.begin.begin(user, voucher);
      return { status: 200, body: await this.shown(begun) };
    });
  }

  /** `POST …/org.matrix.2fa/recovery_request/status`. @throws Refusal unknown_recovery; unrecognized, forbidden */
  async status(request: ClientRequest): Promise<Answer> {
    this.requireOn(request);
    const body = requireShape('recovery_status_request', request.body ?? {});
    return this.withUser(request, body, async ({ userId }) => {
      const [last] = await this.deps.storage.read(findLastRecovery(userId));
      if (last === undefined) throw new Refusal('unknown_recovery');
      return { status: 200, body: shownRecovery(last, this.deps.recovery.calendarOf) };
    });
  }

  private requireOn(request: ClientRequest): void {
    if (!this.deps.recovery.enabled) throw new Refusal('unrecognized');
    if (this.deps.appservices.serviceOf(request) !== undefined) throw new Refusal('forbidden');
  }

  private async shown(begun: BegunRecovery): Promise<JsonObject> {
    const { telling, calendarOf } = this.deps.recovery;
    const { request_id, state, opens_ts } = shownRecovery(begun.request, calendarOf);
    const told = (await telling.shown(begun.request)).map(({ channel, address }) => ({ channel, address }));
    return {
      request_id: request_id ?? '',
      ...(begun.is === 'begun' ? { claim_code: begun.claimCode } : {}),
      state: state ?? '',
      opens_ts: opens_ts ?? 0,
      told,
    };
  }

  /** Has the homeserver judge the password. What it grants stays closed: it is held, or ended where nothing is owed. */
  private async withUser(
    request: ClientRequest,
    { identifier, password }: Credentials,
    act: (user: RecoveringUser) => Promise<Answer>,
  ): Promise<Answer> {
    const judged = await this.deps.login.withPassword(request, identifier, password, 'as_sent');
    if ('refusal' in judged) {
      if (judged.answer === undefined) throw judged.refusal;
      return rebuildError(judged.answer, { identifier, password });
    }
    const { hold } = judged;
    try {
      const { grant } = this.deps.holds.open(hold);
      return await act({ userId: hold.userId, grant, client: request.client });
    } finally {
      if (hold.joinKey === null) await this.end(hold);
    }
  }

  private async end(hold: HeldLogin): Promise<void> {
    const claimant = randomId(this.deps.random);
    if (await this.deps.holds.claim(hold, claimant, CLAIM_MS)) await this.deps.holds.end(hold, claimant);
  }
}
