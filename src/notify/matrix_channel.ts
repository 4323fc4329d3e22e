import type { MatrixConfig } from '../config/config.ts';
import { errcodeOf } from '../homeserver/answer_refusal.ts';
import type { Homeserver, HomeserverAnswer } from '../homeserver/homeserver.ts';
import type { ClientAddress } from '../http/client_request.ts';
import type { JsonObject } from '../matrix/wire.ts';
import type { Storage } from '../storage/storage.ts';
import { leaveLease, takeLease } from '../storage/tables/leases.ts';
import { findNoticeOwner, forgetRoom, rememberRoom } from '../storage/tables/notice_owners.ts';
import type { NoticeRow } from '../storage/tables/notices.ts';
import { MINUTE } from '../system/clock.ts';
import type { Language } from '../system/languages.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { type ChannelSender, type Delivered, NotDelivered } from './channel.ts';
import type { AddressedMessage } from './contact_confirmation.ts';
import { type Message, messageOf } from './message.ts';
import { isToRecipient, type RecoveryNotices } from './recovery_notices.ts';
import { ASK_VOTER, type VoteRequest } from './vote_request.ts';

const CLIENT_API = '/_matrix/client/v3';
/** Who asks the homeserver: this program itself. */
const OURSELVES: ClientAddress = { ip: '127.0.0.1', proto: 'https', host: undefined };
/** Longer than the homeserver may take to make a room. */
const ROOM_LEASE_MS = 3 * MINUTE;
/** With any other membership the owner does not read the room, or may not. */
const READS: readonly unknown[] = ['join', 'invite'];

export interface MatrixChannelDeps {
  readonly config: () => MatrixConfig | undefined;
  readonly homeserver: Pick<Homeserver, 'call'>;
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  readonly voteRequest: Pick<VoteRequest, 'messageOf'>;
  readonly recovery: Pick<RecoveryNotices, 'messageOf'>;
  readonly languageOf: (userId: string) => Promise<Language>;
  readonly random: RandomSource;
}

/** Notices in a direct room with each user, which is made at the first one, and again if they left it. */
export class MatrixChannel implements ChannelSender {
  constructor(private readonly deps: MatrixChannelDeps) {}

  async send(notice: NoticeRow, signal: AbortSignal): Promise<Delivered> {
    const named = isToRecipient(notice)
      ? await this.deps.recovery.messageOf(notice)
      : await this.toOwner(notice);
    if (named === undefined) return 'no_recipient';
    await this.message(named.to, named.message, notice.id, signal);
    return 'sent';
  }

  private async toOwner(notice: NoticeRow): Promise<AddressedMessage | undefined> {
    const message =
      notice.event === ASK_VOTER
        ? await this.deps.voteRequest.messageOf(notice)
        : messageOf(notice, await this.deps.languageOf(notice.userId));
    return message && { to: notice.userId, message };
  }

  /** One message to one user. @throws NotDelivered */
  async message(userId: string, { subject, text }: Message, id: string, signal: AbortSignal): Promise<void> {
    const roomId = await this.roomWith(userId, signal);
    // The text begins with what the subject says; the server's name stands before it.
    const body = `${subject}\n${text.slice(text.indexOf('\n') + 1)}`.trimEnd();
    const path = `/rooms/${encodeURIComponent(roomId)}/send/m.room.message/${encodeURIComponent(id)}`;
    const answer = await this.call('PUT', path, signal, { msgtype: 'm.text', body });
    if (saysGone(answer) && (await this.isOutside(roomId, signal))) {
      await this.deps.storage.commit([userId], forgetRoom(userId, roomId));
    }
    requireField(answer, 'event_id');
  }

  /**
   * Whether we are no longer in a room. One who has left is still shown who was in it at that moment, and so the room seems
   * to be of use; who is in it now is shown only to those who are. A refusal for another reason, such as a rule of the
   * homeserver, is met in every room: another one would be made at each attempt.
   */
  private async isOutside(roomId: string, signal: AbortSignal): Promise<boolean> {
    return saysGone(await this.call('GET', `/rooms/${encodeURIComponent(roomId)}/joined_members`, signal));
  }

  /** Whose token it is. @throws NotDelivered */
  async whoami(signal: AbortSignal): Promise<string> {
    return requireField(await this.call('GET', '/account/whoami', signal), 'user_id');
  }

  private async roomWith(userId: string, signal: AbortSignal): Promise<string> {
    const { storage, random } = this.deps;
    const known = await this.usableRoom(userId, signal);
    if (known !== undefined) return known;
    // One process at a time makes a room for a user; the others send at their next attempt.
    const lease = { key: `notice-room:${userId}`, holder: randomId(random) };
    const taken = await storage.commit([], takeLease(lease.key, lease.holder, ROOM_LEASE_MS));
    if (taken === undefined) throw new NotDelivered('the room is being made');
    try {
      return (await this.usableRoom(userId, signal)) ?? (await this.newRoom(userId));
    } finally {
      await storage.commit([], leaveLease(lease.key, lease.holder, null));
    }
  }

  /** The room that is known, if the owner is in it or invited. */
  private async usableRoom(userId: string, signal: AbortSignal): Promise<string | undefined> {
    const [owner] = await this.deps.storage.read(findNoticeOwner(userId));
    if (owner === undefined || owner.roomId === null) return undefined;
    const path = `/rooms/${encodeURIComponent(owner.roomId)}/state/m.room.member/${encodeURIComponent(userId)}`;
    const answer = await this.call('GET', path, signal);
    if (saysGone(answer)) return undefined;
    return READS.includes(requireField(answer, 'membership')) ? owner.roomId : undefined;
  }

  /**
   * It does not end with the attempt: a homeserver that is slow makes the room all the same, and the next attempt would
   * make another one.
   */
  private async newRoom(userId: string): Promise<string> {
    const room = { preset: 'trusted_private_chat', is_direct: true, invite: [userId], visibility: 'private' };
    const roomId = requireField(await this.call('POST', '/createRoom', undefined, room), 'room_id');
    await this.deps.storage.commit([userId], rememberRoom(userId, roomId));
    return roomId;
  }

  private call(
    method: string,
    path: string,
    signal: AbortSignal | undefined,
    body?: JsonObject,
  ): Promise<HomeserverAnswer> {
    const config = this.deps.config();
    if (config === undefined) throw new NotDelivered('notify.matrix is off');
    return this.deps.homeserver.call({
      method,
      path: `${CLIENT_API}${path}`,
      token: config.accessToken,
      client: OURSELVES,
      signal,
      ...(body === undefined ? {} : { body }),
    });
  }
}

/** The room is gone, or we are no longer in it. The page of a web server in between has these statuses, too. */
function saysGone(answer: HomeserverAnswer): boolean {
  const errcode = errcodeOf(answer);
  return (
    (answer.status === 403 && errcode === 'M_FORBIDDEN') ||
    (answer.status === 404 && errcode === 'M_NOT_FOUND')
  );
}

/**
 * What an answer has where the homeserver did what it was asked for. A page of a web server in between may have the
 * status of success as well, and says nothing of that.
 *
 * @throws NotDelivered
 */
function requireField({ status, json }: HomeserverAnswer, field: string): string {
  if (status < 200 || status >= 300) throw new NotDelivered(`the homeserver answered ${status}`);
  const value = json?.[field];
  if (typeof value !== 'string') throw new NotDelivered(`the homeserver answered ${status} without ${field}`);
  return value;
}
