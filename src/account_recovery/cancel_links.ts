import type { ClientRequest } from '../http/client_request.ts';
import { openRecipient } from '../notify/recovery_notices.ts';
import type { Storage } from '../storage/storage.ts';
import { findRecipientByLink, type RecipientRole } from '../storage/tables/recovery_notices.ts';
import { findRecovery } from '../storage/tables/recovery_requests.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Vault } from '../vault/vault.ts';
import type { RecoveryEndings } from './endings.ts';
import type { CalendarOf } from './frozen_calendar.ts';
import { shownAddress } from './shown_address.ts';
import { type RecoveryStanding, standingOf } from './standing.ts';

/** What `randomId` makes of 160 bits, and nothing else. */
const TOKEN = /^[A-Za-z0-9_-]{27}$/;

/** The request behind a cancel link, and whose link it is. */
export interface LinkedRequest {
  readonly role: RecipientRole;
  readonly standing: RecoveryStanding;
}

export interface CancelLinksDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly vault: Vault;
  readonly endings: Pick<RecoveryEndings, 'cancel'>;
  readonly calendarOf: CalendarOf;
}

/** The links by which those who are told of a request stop it, without any credential. */
export class CancelLinks {
  constructor(private readonly deps: CancelLinksDeps) {}

  /** Changes nothing: scanners of mail follow links. */
  async find(token: string): Promise<LinkedRequest | undefined> {
    const found = await this.linked(token);
    if (found === undefined) return undefined;
    return { role: found.recipient.role, standing: standingOf(found.request, this.deps.calendarOf) };
  }

  /** Stops the request; on record is whose link it was. False where it had ended before, or there is none. */
  async cancel({ client }: ClientRequest, token: string): Promise<boolean> {
    const found = await this.linked(token);
    if (found === undefined) return false;
    const { recipient, request } = found;
    const address = shownAddress(openRecipient(this.deps.vault, recipient).address);
    const who = `${recipient.role} ${recipient.channel} ${address}`;
    return this.deps.endings.cancel(request, { by: 'link', who, client });
  }

  private async linked(token: string) {
    if (!TOKEN.test(token)) return undefined;
    const { storage } = this.deps;
    const [recipient] = await storage.read(findRecipientByLink(hashToken(token)));
    if (recipient === undefined) return undefined;
    const [request] = await storage.read(findRecovery(recipient.requestId));
    return request && { recipient, request };
  }
}
