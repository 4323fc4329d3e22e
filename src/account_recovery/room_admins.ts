import type { Homeserver } from '../homeserver/homeserver.ts';
import { Refusal } from '../matrix/refusals.ts';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import { SECOND } from '../system/clock.ts';
import { inTime } from '../system/in_time.ts';
import type { Log } from '../system/log.ts';

/** It is this program itself that asks. */
const OURSELVES = { ip: '127.0.0.1', proto: 'http', host: undefined } as const;
/** So many rooms are looked at, and for so long: a request does not wait for a slow homeserver. */
const MOST_ROOMS = 50;
const LOOK_MS = 10 * SECOND;
/** With two people it is a conversation, in which clients make both administrators. */
const LEAST_PEOPLE = 3;
/** As in room version 12 and later their creators stand above all levels (room versions, "Room version 12"). */
const FIRST_WITH_CREATORS = 12;
const USUAL_LEVEL = 50;

export interface RoomAdminsDeps {
  readonly homeserver: Pick<Homeserver, 'call'>;
  /** Our registration as an application service, which may read what its users may. */
  readonly registration: { readonly asToken: string } | undefined;
  readonly log: Log;
  /** How long it may take; 10 s where it is left out. */
  readonly lookMs?: number;
}

/** Whose rooms are looked at, until the time is over. */
interface Looked {
  readonly userId: string;
  readonly signal: AbortSignal;
}

/** People who administer rooms together with a user: both may change the power levels of the room. */
export class RoomAdmins {
  constructor(private readonly deps: RoomAdminsDeps) {}

  /** As many as could be learnt in time; none where there is no registration. */
  async of(userId: string): Promise<readonly string[]> {
    const found = new Set<string>();
    const ending = new AbortController();
    try {
      await inTime(this.look({ userId, signal: ending.signal }, found), this.deps.lookMs ?? LOOK_MS);
    } finally {
      // What is not asked by then is not asked any more.
      ending.abort();
    }
    return [...found];
  }

  private async look(looked: Looked, found: Set<string>): Promise<void> {
    try {
      const { joined_rooms: rooms } = await this.read(looked, '/joined_rooms');
      if (!Array.isArray(rooms)) return;
      for (const room of rooms.slice(0, MOST_ROOMS)) {
        for (const admin of await this.inRoom(looked, String(room))) found.add(admin);
      }
    } catch (error) {
      if (looked.signal.aborted) return;
      if (!(error instanceof Refusal)) throw error;
      this.deps.log.warn(
        { reason: error.refusal },
        'the homeserver did not say who administers rooms with a user',
      );
    }
  }

  private async inRoom(looked: Looked, room: string): Promise<readonly string[]> {
    const { userId } = looked;
    const path = `/rooms/${encodeURIComponent(room)}`;
    const levels = await this.read(looked, `${path}/state/m.room.power_levels/`);
    const created = await this.read(looked, `${path}/state/m.room.create/`, 'format=event');
    const admins = adminsIn(levels, created);
    if (!admins.includes(userId)) return [];
    const { joined } = await this.read(looked, `${path}/joined_members`);
    if (!isJsonObject(joined) || Object.keys(joined).length < LEAST_PEOPLE) return [];
    return admins.filter((admin) => admin !== userId && admin in joined);
  }

  /** What the user may read; empty where the homeserver does not show it. @throws Refusal if it does not answer */
  private async read({ userId, signal }: Looked, path: string, query = ''): Promise<JsonObject> {
    const { homeserver, registration } = this.deps;
    if (registration === undefined) return {};
    // An application service says for which of its users it asks (application service API, "Identity assertion").
    const as = `user_id=${encodeURIComponent(userId)}`;
    const { status, json } = await homeserver.call({
      method: 'GET',
      path: `/_matrix/client/v3${path}?${query === '' ? as : `${query}&${as}`}`,
      token: registration.asToken,
      client: OURSELVES,
      signal,
    });
    return status === 200 && json !== undefined ? json : {};
  }
}

/** Who may change the levels of a room. */
function adminsIn(levels: JsonObject, created: JsonObject): readonly string[] {
  const { users, events, state_default: usual } = levels;
  const own = isJsonObject(events) ? events['m.room.power_levels'] : undefined;
  const wanted = [own, usual].find((level) => typeof level === 'number') ?? USUAL_LEVEL;
  const named = Object.entries(isJsonObject(users) ? users : {})
    .filter(([, level]) => typeof level === 'number' && level >= Number(wanted))
    .map(([user]) => user);
  return [...new Set([...creatorsIn(created), ...named])];
}

function creatorsIn({ sender, content }: JsonObject): readonly string[] {
  // Versions that are not numbers are experiments: of those nothing is known.
  if (!isJsonObject(content) || !(Number(content.room_version) >= FIRST_WITH_CREATORS)) return [];
  const { additional_creators: others } = content;
  const all = [sender, ...(Array.isArray(others) ? others : [])];
  return all.filter((user) => typeof user === 'string');
}
