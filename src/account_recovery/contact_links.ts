import type { Audit } from '../audit/audit.ts';
import type { ClientRequest } from '../http/client_request.ts';
import { openContact } from '../notify/contact_confirmation.ts';
import { when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { confirmContact, findConfirmable } from '../storage/tables/recovery_contacts.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Vault } from '../vault/vault.ts';

/** An address that waits for its owner's word. */
export interface ConfirmableContact {
  readonly userId: string;
  readonly address: string;
}

export interface ContactLinksDeps {
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  readonly vault: Pick<Vault, 'open'>;
  readonly audit: Audit;
}

/** The links by which contact addresses are confirmed, without any credential. */
export class ContactLinks {
  constructor(private readonly deps: ContactLinksDeps) {}

  /** Changes nothing: scanners of mail follow links. @throws SealBroken */
  async find(token: string): Promise<ConfirmableContact | undefined> {
    const { storage, vault } = this.deps;
    const [row] = await storage.read(findConfirmable(hashToken(token)));
    const contact = row && openContact(row, vault);
    return row && contact && { userId: row.userId, address: contact.address };
  }

  /** Whether it was this call that confirmed it. */
  async confirm({ client }: ClientRequest, token: string): Promise<boolean> {
    const { storage, audit } = this.deps;
    const hash = hashToken(token);
    const [row] = await storage.read(findConfirmable(hash));
    if (row === undefined) return false;
    const { userId } = row;
    const recorded = audit.recorded({ userId, event: 'recovery_contacts.confirmed', client });
    const confirming = when(confirmContact(userId, hash), { won: recorded, lost: [] });
    return (await storage.commit([userId], confirming)).won;
  }
}
