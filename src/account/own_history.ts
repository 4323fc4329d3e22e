import type { Answer } from '../http/answer.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { requireCaller } from '../interactive/token_owner.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { AuditRecord, AuditStore } from '../storage/stores.ts';
import type { AccountParts } from './account_parts.ts';

/** Who wants more than these asks the operator. */
const MOST_EVENTS = 100;

/** Further facts that are the user's to know. An operator's reasons and names are not among them. */
const SHOWN_DETAIL = ['authenticator', 'position', 'stage'];

/** `GET …/org.matrix.2fa/history`: what the audit knows of the caller's own account, the newest first. */
export class OwnHistory {
  constructor(
    private readonly parts: Pick<AccountParts, 'homeserver'>,
    private readonly audit: AuditStore,
  ) {}

  /** @throws Refusal */
  async handle(request: ClientRequest): Promise<Answer> {
    const { owner } = await requireCaller(this.parts.homeserver, request);
    const records = await this.audit.list({ userId: owner.userId, limit: MOST_EVENTS });
    return { status: 200, body: { events: records.map(eventOf) } };
  }
}

function eventOf({ at, event, address, deviceId, detail }: AuditRecord): JsonObject {
  const shown = Object.entries(detail).filter(([name]) => SHOWN_DETAIL.includes(name));
  return { at, event, address, device_id: deviceId, detail: Object.fromEntries(shown) };
}
