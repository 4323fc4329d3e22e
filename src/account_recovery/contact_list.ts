import type { Absence } from '../calendar/calendar.ts';
import { openContact } from '../notify/contact_confirmation.ts';
import type { Storage } from '../storage/storage.ts';
import { findRecoveryContacts, type RecoveryContactsRow } from '../storage/tables/recovery_contacts.ts';
import type { Vault } from '../vault/vault.ts';

/** A user who may vote, and since when they are named. */
export interface NamedVoter {
  readonly userId: string;
  readonly namedTs: number;
}

export interface ContactAddress {
  readonly kind: 'mail' | 'phone';
  readonly address: string;
  /** When its link was followed: before, it is told nothing. */
  readonly confirmedTs: number | null;
}

/** What an owner has set for the recovery of their account, opened. */
export interface ContactList {
  readonly voters: readonly NamedVoter[];
  readonly contact?: ContactAddress;
  readonly timeZone?: string;
  readonly absences: readonly Absence[];
}

export interface ContactListDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly vault: Pick<Vault, 'open'>;
}

const NOTHING: ContactList = { voters: [], absences: [] };

/** Empty where nothing was set. @throws SealBroken */
export async function findContactList(userId: string, deps: ContactListDeps): Promise<ContactList> {
  const [row] = await deps.storage.read(findRecoveryContacts(userId));
  return row === undefined ? NOTHING : contactListOf(row, deps.vault);
}

export function contactListOf(row: RecoveryContactsRow, vault: ContactListDeps['vault']): ContactList {
  const address = openContact(row, vault)?.address;
  return {
    voters: JSON.parse(row.voters),
    absences: JSON.parse(row.absences),
    ...(row.timeZone !== null && { timeZone: row.timeZone }),
    ...(row.contactKind !== null &&
      address !== undefined && {
        contact: { kind: row.contactKind, address, confirmedTs: row.contactConfirmedAt },
      }),
  };
}
