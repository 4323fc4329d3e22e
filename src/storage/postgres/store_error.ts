import { CannotOpen, NoDatabase, SchemaTooNew, SchemaTooOld, StoreUnavailable } from '../errors.ts';

/** Two units collided and this one was not written: serialization failure, deadlock, lock not to be had in time. */
const COLLISIONS = ['40001', '40P01', '55P03'] as const;

/** No login with this name or password, no such database, no right to it, tables of another program in the way. */
const REFUSAL = /^(28|3D|42)/;

/** A violated constraint, or a value that cannot be stored: a mistake of the program, not a state of the database. */
const MISTAKE = /^2[23]/;

/** Why the unit was not written and may be run again as it is; undefined if it may not. */
export function collisionIn(error: unknown): (typeof COLLISIONS)[number] | undefined {
  const state = sqlState(error);
  return COLLISIONS.find((each) => each === state);
}

/** Whether PostgreSQL refuses what opening the database needs: waiting does not help. */
export function isRefusal(error: unknown): error is Error {
  return error instanceof Error && REFUSAL.test(sqlState(error) ?? '');
}

/** What a store may throw for an error of PostgreSQL or of the connection to it: as for SQLite. */
export function asStoreError(error: unknown): unknown {
  const isOurs = [StoreUnavailable, CannotOpen, NoDatabase, SchemaTooNew, SchemaTooOld, TypeError].some(
    (kind) => error instanceof kind,
  );
  if (isOurs) return error;
  return MISTAKE.test(sqlState(error) ?? '') ? error : new StoreUnavailable(error);
}

/**
 * Whether the connection can be used on: PostgreSQL answered, and did not end it. One that lets nothing be written
 * (25006) is not kept: a pooler may have led it to a server that was the primary once.
 */
export function isAnswer(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && !/^(08|57P|25006$)/.test(state);
}

/** The five characters of https://www.postgresql.org/docs/current/errcodes-appendix.html. */
function sqlState(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('code' in error)) return undefined;
  return typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code) ? error.code : undefined;
}
