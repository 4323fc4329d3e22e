import { ask, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';

/** What is kept of a public key beside its authenticator: the key itself is in what the authenticator has sealed. */
export interface Credential {
  readonly authenticatorId: string;
  /** SHA-256 of the credential id. */
  readonly credentialHash: string;
  /** The domain that it is bound to. */
  readonly rpId: string;
  /** Whether there is a copy of it elsewhere, as it said when it was last used: 1 or 0. */
  readonly backedUp: number;
  /** When its counter went back, which a copy of the key can be the reason for. */
  readonly counterAlertAt: number | null;
}

export function findCredentials(userId: string): Query<Credential> {
  return ask(
    `SELECT authenticator_id AS "authenticatorId", credential_hash AS "credentialHash", rp_id AS "rpId",
       backed_up AS "backedUp", counter_alert_at AS "counterAlertAt"
     FROM credentials WHERE user_id = :userId`,
    { userId },
  );
}

/** One row if an authenticator of any account has this credential. */
export function findKnownCredential(credentialHash: string): Query<object> {
  return ask('SELECT 1 AS found FROM credentials WHERE credential_hash = :credentialHash', {
    credentialHash,
  });
}

/** Whose credential this is. */
export function findCredentialOwner(
  credentialHash: string,
): Query<{ readonly userId: string; readonly authenticatorId: string }> {
  return ask(
    `SELECT user_id AS "userId", authenticator_id AS "authenticatorId" FROM credentials
     WHERE credential_hash = :credentialHash`,
    { credentialHash },
  );
}

/** How many are bound to another domain than this one, counted as far as that: those of this one are not looked at. */
export function countForeignCredentials(rpId: string, most: number): Query<{ readonly count: number }> {
  return ask(
    `SELECT count(*) AS count FROM (
       SELECT 1 AS one FROM credentials WHERE rp_id < :rpId
       UNION ALL SELECT 1 FROM credentials WHERE rp_id > :rpId LIMIT :most) AS counted`,
    { rpId, most },
  );
}

/**
 * Keeps a credential for an authenticator that the same unit adds. Lost where any account has it.
 */
export function claimCredential(
  userId: string,
  credential: Omit<Credential, 'counterAlertAt'>,
): Decision<object> {
  return decide(
    `INSERT INTO credentials (authenticator_id, user_id, credential_hash, rp_id, backed_up)
     VALUES (:authenticatorId, :userId, :credentialHash, :rpId, :backedUp)
     ON CONFLICT (credential_hash) DO NOTHING`,
    { ...credential, userId },
  );
}

export function dropCredential(authenticatorId: string): Effect {
  return effect('DELETE FROM credentials WHERE authenticator_id = :authenticatorId', { authenticatorId });
}

/** How often an authenticator says that it has signed. */
export interface CounterToSpend {
  readonly authenticatorId: string;
  readonly counter: number;
}

/**
 * The one write that accepts a signature (R8): its counter is above the last one. Authenticators that do not count say
 * 0 always, and have said nothing else before.
 */
export function spendCounter(userId: string, { authenticatorId, counter }: CounterToSpend): Decision<object> {
  return decide(
    `UPDATE authenticators SET last_step = :counter, last_used_at = :now
     WHERE id = :authenticatorId AND user_id = :userId
       AND (last_step < :counter OR (last_step = 0 AND :counter = 0))`,
    { userId, authenticatorId, counter },
  );
}

/** Notes that a counter went back. Lost where the authenticator is gone. */
export function noteCounterAlert(userId: string, authenticatorId: string): Decision<object> {
  return decide(
    `UPDATE credentials SET counter_alert_at = :now
     WHERE authenticator_id = :authenticatorId AND user_id = :userId`,
    { userId, authenticatorId },
  );
}

export function keepBackedUp(userId: string, authenticatorId: string, backedUp: boolean): Effect {
  return effect(
    `UPDATE credentials SET backed_up = :backedUp
     WHERE authenticator_id = :authenticatorId AND user_id = :userId AND backed_up <> :backedUp`,
    { userId, authenticatorId, backedUp: backedUp ? 1 : 0 },
  );
}
