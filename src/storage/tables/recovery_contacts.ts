import { ask, bothDialects, type Decision, decide, type Query, type Values } from '../statement.ts';

/** What an owner has set for the recovery of their account. The lists are JSON. */
export interface RecoveryContactsRow {
  readonly userId: string;
  /** `[{userId, namedTs}]` */
  readonly voters: string;
  readonly contactKind: 'mail' | 'phone' | null;
  /** JSON `{address, token}`, sealed with the identity `recovery-contact:<userId>`. */
  readonly sealedContact: Buffer | null;
  readonly contactConfirmedAt: number | null;
  /** The hash of the token in the link that confirms the address; below, until when it is good. */
  readonly confirmHash: string | null;
  readonly confirmUntil: number | null;
  readonly timeZone: string | null;
  /** `[{from, to}]` */
  readonly absences: string;
  /** Grows with each change. */
  readonly changedAt: number;
}

type Written = Omit<RecoveryContactsRow, 'changedAt'>;

const COLUMNS = `user_id AS "userId", voters, contact_kind AS "contactKind", sealed_contact AS "sealedContact",
  contact_confirmed_at AS "contactConfirmedAt", confirm_hash AS "confirmHash", confirm_until AS "confirmUntil",
  time_zone AS "timeZone", absences, changed_at AS "changedAt"`;

export function findRecoveryContacts(userId: string): Query<RecoveryContactsRow> {
  return ask(`SELECT ${COLUMNS} FROM recovery_contacts WHERE user_id = :userId`, { userId });
}

/** The first of a user; lost if there are some by now. */
export function addRecoveryContacts(row: Written): Decision<object> {
  return decide(
    `INSERT INTO recovery_contacts (user_id, voters, contact_kind, sealed_contact, contact_confirmed_at, confirm_hash,
       confirm_until, time_zone, absences, changed_at)
     VALUES (:userId, :voters, :contactKind, :sealedContact, :contactConfirmedAt, :confirmHash,
       :confirmUntil, :timeZone, :absences, :now)
     ON CONFLICT DO NOTHING`,
    valuesOf(row),
  );
}

/** Lost if they are not those of `changedAt` any more: what another request changed is not written over. */
export function changeRecoveryContacts(row: RecoveryContactsRow): Decision<object> {
  const { changedAt } = row;
  return decide(
    bothDialects(
      ({ greatest }) =>
        `UPDATE recovery_contacts SET voters = :voters, contact_kind = :contactKind, sealed_contact = :sealedContact,
           contact_confirmed_at = :contactConfirmedAt, confirm_hash = :confirmHash, confirm_until = :confirmUntil,
           time_zone = :timeZone, absences = :absences, changed_at = ${greatest}(:now, :changedAt + 1)
         WHERE user_id = :userId AND changed_at = :changedAt`,
    ),
    { ...valuesOf(row), changedAt },
  );
}

/** Lost if there are none. */
export function removeRecoveryContacts(userId: string): Decision<object> {
  return decide('DELETE FROM recovery_contacts WHERE user_id = :userId', { userId });
}

/** Whose contact address a link confirms, while it can. */
export function findConfirmable(confirmHash: string): Query<RecoveryContactsRow> {
  return ask(
    `SELECT ${COLUMNS} FROM recovery_contacts WHERE confirm_hash = :confirmHash AND confirm_until > :now`,
    { confirmHash },
  );
}

/** Confirms the address of a link, once; in a unit that names the user. Lost if it is another address by now. */
export function confirmContact(userId: string, confirmHash: string): Decision<object> {
  return decide(
    bothDialects(
      ({ greatest }) =>
        `UPDATE recovery_contacts SET contact_confirmed_at = :now, confirm_hash = NULL, confirm_until = NULL,
           changed_at = ${greatest}(:now, changed_at + 1)
         WHERE user_id = :userId AND confirm_hash = :confirmHash AND confirm_until > :now`,
    ),
    { userId, confirmHash },
  );
}

function valuesOf(row: Written): Values {
  const { userId, voters, contactKind, sealedContact, contactConfirmedAt } = row;
  const { confirmHash, confirmUntil, timeZone, absences } = row;
  return {
    ...{ userId, voters, contactKind, sealedContact, contactConfirmedAt },
    ...{ confirmHash, confirmUntil, timeZone, absences },
  };
}
