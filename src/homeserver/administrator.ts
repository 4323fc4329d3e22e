import { Refusal } from '../matrix/refusals.ts';
import { parseUserId } from '../matrix/user_id.ts';
import { errcodeOf } from './answer_refusal.ts';
import type { Asker, CallHomeserver } from './homeserver.ts';

/** Their administrators are those who joined the room `#admins` of the server. */
const WITH_ADMIN_ROOM: ReadonlySet<string> = new Set([
  'conduit',
  'conduwuit',
  'tuwunel',
  'continuwuity',
  'grapevine',
]);
/** It tells clients nothing about its administrators. */
const WITHOUT_WORD = 'dendrite';

/**
 * What the homeserver says of the owner of a token: whether they are one of its administrators (docs/homeservers.md,
 * "Who administers it"). Undefined if it does not say.
 */
export async function isAdministrator(
  call: CallHomeserver,
  { token, userId }: { readonly token: string; readonly userId: string },
  { client }: Asker,
): Promise<boolean | undefined> {
  const get = (path: string) => call({ method: 'GET', path, token, client });
  try {
    const answer = await get(`/_synapse/admin/v1/users/${encodeURIComponent(userId)}/admin`);
    if (answer.status === 200) {
      return typeof answer.json?.admin === 'boolean' ? answer.json.admin : undefined;
    }
    // A web server's page in the place of the homeserver has this status, too.
    if (answer.status === 403) return errcodeOf(answer) === 'M_FORBIDDEN' ? false : undefined;
    if (answer.status !== 404) return undefined;
    // It knows this endpoint, and not the account.
    if (errcodeOf(answer) === 'M_NOT_FOUND') return false;
    const family = await familyOf(call, client);
    // The endpoint is there in every Synapse: a 404 that is not its own comes from a proxy before it.
    if (family === 'synapse') return errcodeOf(answer) === 'M_UNRECOGNIZED' ? false : undefined;
    if (family === WITHOUT_WORD) return false;
    if (family === undefined || !WITH_ADMIN_ROOM.has(family)) return undefined;
    return await hasJoinedAdminRoom(get, userId);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

/** https://spec.matrix.org/v1.16/server-server-api/#get_matrixfederationv1version */
async function familyOf(call: CallHomeserver, client: Asker['client']): Promise<string | undefined> {
  const { status, json } = await call({ method: 'GET', path: '/_matrix/federation/v1/version', client });
  const server = json?.server;
  if (status !== 200 || typeof server !== 'object' || server === null || Array.isArray(server))
    return undefined;
  return typeof server.name === 'string' ? server.name.toLowerCase() : undefined;
}

async function hasJoinedAdminRoom(
  get: (path: string) => ReturnType<CallHomeserver>,
  userId: string,
): Promise<boolean | undefined> {
  const alias = encodeURIComponent(`#admins:${parseUserId(userId)?.server ?? ''}`);
  const room = await get(`/_matrix/client/v3/directory/room/${alias}`);
  if (room.status === 404 && errcodeOf(room) === 'M_NOT_FOUND') return false;
  const adminRoom = room.json?.room_id;
  if (room.status !== 200 || typeof adminRoom !== 'string') return undefined;
  const joined = await get('/_matrix/client/v3/joined_rooms');
  const rooms = joined.json?.joined_rooms;
  return joined.status === 200 && Array.isArray(rooms) ? rooms.includes(adminRoom) : undefined;
}
