import type { StubHomeserver } from '../support/stub/stub.ts';

const TEAM = '!team:localhost';

/** A message in the room with a user. */
export interface RoomMessage {
  readonly to: string;
  readonly body: string;
}

/** Every user administers one room together with another one, in which there is a third. */
export function serveTeam(stub: StubHomeserver, admin: string): void {
  const power = (query: URLSearchParams) => ({ [query.get('user_id') ?? '']: 100, [admin]: 100 });
  stub.override(/GET .*\/v3\/joined_rooms\?user_id=/, () => ({
    status: 200,
    body: { joined_rooms: [TEAM] },
  }));
  stub.override(/GET .*\/rooms\/!team[^?]*\/(?:state|joined_members)/, ({ target, query }) => {
    const users = power(query);
    const joined = Object.fromEntries([...Object.keys(users), '@erin:localhost'].map((user) => [user, {}]));
    if (target.includes('joined_members')) return { status: 200, body: { joined } };
    if (target.includes('m.room.power_levels')) return { status: 200, body: { users } };
    return { status: 404, body: { errcode: 'M_NOT_FOUND' } };
  });
}

/** Rooms of a stub homeserver, as notices use them: one with each user, made when it is asked for; and that of the team. */
export class StubRooms {
  readonly messages: RoomMessage[] = [];

  constructor(stub: StubHomeserver, admin: string) {
    stub.override(/POST .*\/createRoom$/, ({ bytes }) => {
      const { invite } = JSON.parse(bytes.toString());
      return { status: 200, body: { room_id: `!with-${String(invite).slice(1)}` } };
    });
    stub.override(/GET .*\/state\/m\.room\.member\//, () => ({ status: 200, body: { membership: 'join' } }));
    stub.override(/PUT .*\/send\/m\.room\.message\//, ({ target, bytes }) => {
      const [, room = ''] = /\/rooms\/([^/]+)\//.exec(target) ?? [];
      const { body }: { body: string } = JSON.parse(bytes.toString());
      this.messages.push({ to: `@${decodeURIComponent(room).slice('!with-'.length)}`, body });
      return { status: 200, body: { event_id: '$sent' } };
    });
    serveTeam(stub, admin);
  }
}
