import { ask, type Query } from '../statement.ts';

export interface DatabaseIdentity {
  /** Random, made with the database; copies keep it. */
  readonly id: string;
  /** When the first user turned 2FA on, in ms since the epoch; null until then. It stays when all turn it off. */
  readonly firstEnrolledAt: number | null;
}

/** Which database it is: one row. */
export function findDatabaseIdentity(): Query<DatabaseIdentity> {
  return ask('SELECT id, first_enrolled_at AS "firstEnrolledAt" FROM database_identity');
}
