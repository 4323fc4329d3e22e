import { unprovenEvents } from '../audit/events.ts';
import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { deedOf } from '../http/routes.ts';
import type { JsonObject } from '../matrix/wire.ts';
import { requireCaller } from '../second_factor/caller.ts';
import { type AuditRow, findHistory, type HistoryExtent } from '../storage/tables/audit.ts';
import type { AccountDeps } from './account_deps.ts';

/**
 * A user who wants more than these asks the operator. Events that need no second factor can be many, and must not hide
 * what was done with one.
 */
const LINES = 100;
/** How many of these may be events that need no second factor; the kinds of events have equal shares. */
const FREQUENT_LINES = 80;

/** Further facts that the user may see. An operator's reasons and names are not among them. */
const SHOWN_DETAIL = ['authenticator', 'factor', 'position', 'remaining', 'stage', 'devices'];

/** `GET …/org.matrix.2fa/history`: what the audit knows of the caller's own account, the newest first. */
export class OwnHistory {
  private readonly extent: HistoryExtent;

  constructor(private readonly deps: Pick<AccountDeps, 'homeserver' | 'storage' | 'factors'>) {
    const frequent = unprovenEvents(deps.factors.primaryKinds());
    this.extent = { lines: LINES, frequent, ofEachFrequent: Math.floor(FREQUENT_LINES / frequent.length) };
  }

  /** @throws Refusal */
  async handle(request: ClientRequest): Promise<Answer> {
    const { owner } = await requireCaller(this.deps.homeserver, request);
    const rows = await this.deps.storage.read(findHistory(owner.userId, this.extent));
    return { status: 200, body: { events: rows.map(eventOf) } };
  }
}

function eventOf({ at, event, address, deviceId, detail }: AuditRow): JsonObject {
  const known = JSON.parse(detail) as JsonObject;
  const shown = Object.entries(known).filter(([name]) => SHOWN_DETAIL.includes(name));
  const deed = deedOf(known.endpoint);
  return {
    at,
    event,
    address,
    device_id: deviceId,
    detail: { ...Object.fromEntries(shown), ...(deed === undefined ? {} : { action: deed }) },
  };
}
