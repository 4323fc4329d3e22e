import { beforeEach, expect, test } from '@jest/globals';
import type { HomeserverCall } from '../../src/homeserver/homeserver.ts';
import type { JsonObject } from '../../src/matrix/wire.ts';
import { failureOf, inTime, NotDelivered } from '../../src/notify/channel.ts';
import { MatrixChannel } from '../../src/notify/matrix_channel.ts';
import { systemRandom } from '../../src/system/random.ts';
import { describeOnBothStores } from '../storage/on_both.ts';

const BOB = '@bob:example.org';
const MESSAGE = { subject: '[example.org] A test', text: 'A test\n\nAccount: @bob:example.org\n' };

/** What the channel asks of the homeserver. */
type Step = 'member' | 'members' | 'createRoom' | 'send';

/** Without JSON it is the page of a web server. */
interface Said {
  readonly status: number;
  readonly json?: JsonObject;
}

/** Rooms, each with one user, who has joined; and answers that something else gives in the place of the homeserver. */
class StubRooms {
  readonly made: string[] = [];
  readonly sent: string[] = [];
  readonly instead = new Map<Step, Said>();
  /** Called where a room is made; it is there once this resolves. */
  making: () => Promise<void> = () => Promise.resolve();

  async call({ method, path, signal }: HomeserverCall) {
    signal?.throwIfAborted();
    const step = stepOf(method, path);
    const aborted = new Promise<never>((_resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
    const answer = Promise.resolve(this.instead.get(step) ?? this.answer(step, path));
    const { status, json } = await Promise.race([answer, aborted]);
    return { status, json, headers: {}, bytes: Buffer.alloc(0) };
  }

  private async answer(step: Step, path: string): Promise<Said> {
    if (step === 'member') return { status: 200, json: { membership: 'join' } };
    if (step === 'members') return { status: 200, json: { joined: {} } };
    if (step === 'createRoom') {
      this.made.push(`!room${this.made.length}`);
      await this.making();
      return { status: 200, json: { room_id: this.made.at(-1) ?? '' } };
    }
    const [, room = ''] = /\/rooms\/([^/]+)\//.exec(path) ?? [];
    this.sent.push(decodeURIComponent(room));
    return { status: 200, json: { event_id: '$sent' } };
  }
}

function stepOf(method: string, path: string): Step {
  if (method === 'POST') return 'createRoom';
  if (method === 'PUT') return 'send';
  return path.endsWith('/joined_members') ? 'members' : 'member';
}

describeOnBothStores('notices in a direct room', (opened) => {
  let rooms: StubRooms;
  let channel: MatrixChannel;

  beforeEach(() => {
    rooms = new StubRooms();
    channel = new MatrixChannel({
      config: () => ({ userId: '@2fa:example.org', accessToken: 'x' }),
      homeserver: { call: (call) => rooms.call(call) },
      storage: opened.storage,
      voteRequest: { messageOf: async () => undefined },
      recovery: { messageOf: async () => undefined },
      languageOf: async () => 'en',
      random: systemRandom,
    });
  });

  /** One attempt; why it failed, or undefined. */
  const attempt = () =>
    inTime(5000, (signal) => channel.message(BOB, MESSAGE, 'n1', signal)).then(() => undefined, failureOf);

  test.each<[Step, Said, string]>([
    ['send', { status: 200 }, 'the homeserver answered 200 without event_id'],
    ['send', { status: 200, json: {} }, 'the homeserver answered 200 without event_id'],
    ['send', { status: 404 }, 'the homeserver answered 404'],
    ['createRoom', { status: 200 }, 'the homeserver answered 200 without room_id'],
    ['createRoom', { status: 200, json: { room_id: null } }, 'the homeserver answered 200 without room_id'],
  ])('attack 362: %s is answered by something else (%j): it is tried again', async (step, said, reason) => {
    rooms.instead.set(step, said);
    expect(await attempt()).toMatchObject({ reason, isFinal: false });
    rooms.instead.clear();
    expect(await attempt()).toBeUndefined();
    expect(rooms).toMatchObject({ made: ['!room0'], sent: ['!room0'] });
  });

  test.each<[Said]>([
    [{ status: 200 }],
    [{ status: 403 }],
    [{ status: 404 }],
    [{ status: 403, json: { error: 'forbidden' } }],
    [{ status: 404, json: { errcode: 'M_UNRECOGNIZED' } }],
  ])('attack 362: a page in the place of who is in the room (%j) makes no other room', async (said) => {
    expect(await attempt()).toBeUndefined();
    rooms.instead.set('member', said);
    expect(await attempt()).toMatchObject({ isFinal: false });
    rooms.instead.clear();
    expect(await attempt()).toBeUndefined();
    expect(rooms).toMatchObject({ made: ['!room0'], sent: ['!room0', '!room0'] });
  });

  test.each<[Said]>([
    [{ status: 200, json: { membership: 'leave' } }],
    [{ status: 403, json: { errcode: 'M_FORBIDDEN' } }],
    [{ status: 404, json: { errcode: 'M_NOT_FOUND' } }],
  ])('a room that is gone, or that the owner has left (%j), is made again', async (said) => {
    expect(await attempt()).toBeUndefined();
    rooms.instead.set('member', said);
    expect(await attempt()).toBeUndefined();
    expect(rooms).toMatchObject({ made: ['!room0', '!room1'], sent: ['!room0', '!room1'] });
  });

  test('a room that we have left is not used again; one in which we may not write is kept', async () => {
    const refused = { status: 403, json: { errcode: 'M_FORBIDDEN' } };
    expect(await attempt()).toBeUndefined();
    rooms.instead.set('send', refused);
    expect(await attempt()).toMatchObject({ reason: 'the homeserver answered 403' });
    expect(await attempt()).toMatchObject({ reason: 'the homeserver answered 403' });
    expect(rooms.made).toEqual(['!room0']);
    rooms.instead.set('members', refused);
    expect(await attempt()).toMatchObject({ reason: 'the homeserver answered 403' });
    rooms.instead.clear();
    expect(await attempt()).toBeUndefined();
    expect(rooms).toMatchObject({ made: ['!room0', '!room1'], sent: ['!room0', '!room1'] });
  });

  test('attack 365: a room that is made slower than an attempt may take is used by the next one', async () => {
    const ending = new AbortController();
    let make: () => void = () => undefined;
    rooms.making = () => {
      ending.abort(new NotDelivered('no answer in time'));
      return new Promise((resolve) => {
        make = resolve;
      });
    };
    const first = channel.message(BOB, MESSAGE, 'n1', ending.signal).catch(failureOf);
    await new Promise((resolve) => ending.signal.addEventListener('abort', resolve));
    expect(await attempt()).toMatchObject({ reason: 'the room is being made' });
    make();
    expect(await first).toMatchObject({ reason: 'no answer in time' });
    rooms.making = () => Promise.resolve();
    expect(await attempt()).toBeUndefined();
    expect(rooms).toMatchObject({ made: ['!room0'], sent: ['!room0'] });
  });
});
