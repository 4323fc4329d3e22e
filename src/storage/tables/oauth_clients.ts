import { dropSome } from '../dropping.ts';
import { ask, type Decision, decide, type Effect, effect, type Query } from '../statement.ts';
import { standInLine } from './leases.ts';

/** An app that has registered. */
export interface OauthClient {
  readonly clientId: string;
  /** What it registered, as JSON. */
  readonly metadata: string;
  readonly createdAt: number;
  readonly usedAt: number;
}

const COLUMNS = 'client_id AS "clientId", metadata, created_at AS "createdAt", used_at AS "usedAt"';

/** This client has neither a live session nor a grant under way. */
const IS_UNUSED = `NOT EXISTS (SELECT 1 FROM oauth_sessions
    WHERE oauth_sessions.client_id = oauth_clients.client_id AND ended_at IS NULL)
  AND NOT EXISTS (SELECT 1 FROM oauth_grants
    WHERE oauth_grants.client_id = oauth_clients.client_id AND expires_at > :now)`;

const IS_REGISTERED = 'EXISTS (SELECT 1 FROM oauth_clients WHERE client_id = :clientId)';

type NewClient = Pick<OauthClient, 'clientId' | 'metadata'>;

/**
 * Keeps a client, or notes that it was registered again. Where there are `most`, the one that was not used for the
 * longest time is removed; the third answer is lost if all are in use. Registrations of one moment count one after
 * the other.
 */
export function registerClient(
  client: NewClient,
  most: number,
): readonly [Effect, Effect, ReturnType<typeof keepClient>] {
  return [
    standInLine('oauth registration'),
    makeRoomForClient(client.clientId, most),
    keepClient(client, most),
  ];
}

/** Removes the client that was not used for the longest time where there are `most` and this one is new. */
function makeRoomForClient(clientId: string, most: number): Effect {
  return effect(
    `DELETE FROM oauth_clients WHERE (SELECT count(*) FROM oauth_clients) >= :most AND NOT ${IS_REGISTERED}
       AND client_id = (SELECT client_id FROM oauth_clients WHERE ${IS_UNUSED} ORDER BY used_at, client_id LIMIT 1)`,
    { clientId, most },
  );
}

/** Keeps a client, or that it was registered again. Lost if there are `most` others. */
function keepClient(client: NewClient, most: number): Decision<{ readonly createdAt: number }> {
  return decide(
    `INSERT INTO oauth_clients (client_id, metadata, created_at, used_at)
     SELECT :clientId, :metadata, :now, :now
     WHERE (SELECT count(*) FROM oauth_clients) < :most OR ${IS_REGISTERED}
     ON CONFLICT (client_id) DO UPDATE SET used_at = excluded.used_at
     RETURNING created_at AS "createdAt"`,
    { ...client, most },
  );
}

export function findClient(clientId: string): Query<OauthClient> {
  return ask(`SELECT ${COLUMNS} FROM oauth_clients WHERE client_id = :clientId`, { clientId });
}

/** Someone signs in with it. */
export function useClient(clientId: string): Effect {
  return effect('UPDATE oauth_clients SET used_at = :now WHERE client_id = :clientId', { clientId });
}

/** Removes the clients that were not used for so long and have neither a session nor a grant. */
export function pruneClients(unusedMs: number): Effect {
  return dropSome('oauth_clients', `used_at <= :now - :unusedMs AND ${IS_UNUSED}`, { unusedMs });
}
