import { type Decision, decide, type Effect, effect, listOf } from '../statement.ts';
import type { Authenticator } from './authenticators.ts';

/** Lost if one of the users has 2FA on. Won, it remembers that users have turned it on in this database. */
export function beginImport(userIds: readonly string[]): Decision<object> {
  const { names, values } = listOf('user', userIds);
  return decide(
    `UPDATE database_identity SET first_enrolled_at = coalesce(first_enrolled_at, :now)
     WHERE NOT EXISTS (SELECT 1 FROM authenticators WHERE user_id IN (${names}))`,
    values,
  );
}

/** An authenticator app that another program knew; no step up to this one is good any more. */
export function importedAuthenticator({
  id,
  userId,
  name,
  sealedSeed,
  lastStep,
}: Pick<Authenticator, 'id' | 'userId' | 'name' | 'sealedSeed' | 'lastStep'>): Effect {
  return effect(
    `INSERT INTO authenticators (id, user_id, kind, name, sealed_seed, enabled_at, last_step)
     VALUES (:id, :userId, 'totp', :name, :sealedSeed, :now, :lastStep)`,
    { id, userId, name, sealedSeed, lastStep },
  );
}
