import { ask, type Effect, effect, listOf, type Query } from '../statement.ts';

/** Why someone is told of a recovery request. */
export type RecipientRole = 'owner' | 'contact' | 'operator' | 'voter' | 'room_admin';
/** The ways on which people are told of one. */
export type RecipientChannel = 'mail' | 'matrix' | 'sms';

/** Someone who is told of a recovery request: the list is frozen when it begins. */
export interface RecoveryRecipient {
  readonly id: string;
  readonly requestId: string;
  /** Whose account it is about. */
  readonly userId: string;
  readonly channel: RecipientChannel;
  readonly role: RecipientRole;
  /**
   * JSON `{address, token}`, sealed with the identity `recovery-notice:<id>:<userId>`: each notice names the link again.
   */
  readonly sealedAddress: Buffer;
  /** SHA-256 of the token in the cancel link, in hex. */
  readonly cancelHash: string;
}

const READ = `id, request_id AS "requestId", user_id AS "userId", channel, role, sealed_address AS "sealedAddress",
  cancel_hash AS "cancelHash"`;

export function addRecipient(recipient: RecoveryRecipient): Effect {
  return effect(
    `INSERT INTO recovery_notices (id, request_id, user_id, channel, role, sealed_address, cancel_hash)
     VALUES (:id, :requestId, :userId, :channel, :role, :sealedAddress, :cancelHash)`,
    { ...recipient },
  );
}

export function findRecipient(id: string): Query<RecoveryRecipient> {
  return ask(`SELECT ${READ} FROM recovery_notices WHERE id = :id`, { id });
}

/** Whose cancel link it is. */
export function findRecipientByLink(cancelHash: string): Query<RecoveryRecipient> {
  return ask(`SELECT ${READ} FROM recovery_notices WHERE cancel_hash = :cancelHash`, { cancelHash });
}

/** In the order in which they were written. */
export function listRecipients(requestId: string): Query<RecoveryRecipient> {
  return ask(`SELECT ${READ} FROM recovery_notices WHERE request_id = :requestId ORDER BY rowid`, {
    requestId,
  });
}

/** What all recipients of a request are told at one occasion. */
export interface ToldOccasion {
  readonly requestId: string;
  readonly userId: string;
  readonly occasion: string;
  readonly event: string;
  /** Undefined: all of them. */
  readonly role?: RecipientRole | undefined;
}

/**
 * Puts a notice to each recipient into the outbox, once for each moment. These do not count against the limit of the
 * outbox: a request has few, and someone who fills the outbox must not keep the owner from hearing of it.
 */
export function tellRecipients(
  { role, ...told }: ToldOccasion,
  channels: readonly RecipientChannel[],
): Effect {
  const { names, values } = listOf('channel', channels);
  return effect(
    `INSERT INTO notices (id, channel, event, user_id, actor, detail, happened_at, made_at, due_at, recipient)
     SELECT id || '.' || :occasion || '.' || CAST(:now AS TEXT), channel, :event, :userId, 'system', '{}',
       :now, :now, :now, id
     FROM recovery_notices WHERE request_id = :requestId AND channel IN (${names})${role === undefined ? '' : ' AND role = :role'}
     ON CONFLICT (id) DO NOTHING`,
    { ...told, ...values, ...(role !== undefined && { role }) },
  );
}
