import type { Homeserver } from '../homeserver/homeserver.ts';
import type { ClientAddress } from '../http/client_request.ts';
import { isJsonObject } from '../matrix/wire.ts';
import type { Effect } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  addNoticeAddress,
  findNoticeAddress,
  findNoticeAddresses,
  forgetAddressesAsked,
  markAddressesAsked,
  markNoticeAddress,
  type NoticeAddress,
  takeAddressesAsked,
} from '../storage/tables/notice_owners.ts';
import { HOUR, MINUTE, SECOND } from '../system/clock.ts';
import { inTime } from '../system/in_time.ts';
import type { Log } from '../system/log.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Vault } from '../vault/vault.ts';

const ASKED_EVERY_MS = 24 * HOUR;
/** Longer than the homeserver may take to answer. */
const ASKING_MS = 3 * MINUTE;
const TIMES = { usualMs: ASKED_EVERY_MS, askingMs: ASKING_MS };
/** An address that the homeserver no longer names is told so much longer: removing it silences no one. */
export const GONE_KEPT_MS = 7 * 24 * HOUR;
/** 96 bit, in hex. */
const ID_LENGTH = 24;
/** The addresses that were known first stay: many new ones do not push them out. */
const MOST_ADDRESSES = 10;
/** How long a request that changes addresses waits for the homeserver to say which there are. */
const BEFORE_CHANGE_MS = 5 * SECOND;
/** One mailbox, in ASCII, without quotes or routes: nothing in it can be taken for another recipient or header. */
const ADDRESS = /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?$/;

export interface AddressesDeps {
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  readonly homeserver: Pick<Homeserver, 'call'>;
  readonly vault: Vault;
  readonly log: Log;
  /** Whether mail is sent at all: else no one's addresses are asked for. */
  readonly isWanted: () => boolean;
}

/** Whose addresses are asked for, with their own token. */
interface Asking {
  readonly userId: string;
  readonly token: string;
  readonly client: ClientAddress;
}

/**
 * The mail addresses of owners, as the homeserver names them (`GET account/3pid`). They are asked for while an owner's
 * token is at hand, at most daily, and before they change; they are kept sealed.
 */
export class Addresses {
  private readonly underWay = new Set<Promise<void>>();

  constructor(private readonly deps: AddressesDeps) {}

  /** Asks in the background: no request waits for it. */
  notice(asking: Asking): void {
    if (!this.deps.isWanted()) return;
    const asked = this.learn(asking, ASKED_EVERY_MS).finally(() => this.underWay.delete(asked));
    this.underWay.add(asked);
  }

  /** Asks, as they are about to change; waits for the answer a little. */
  async beforeChange(asking: Asking): Promise<void> {
    if (this.deps.isWanted()) await inTime(this.learn(asking, 0), BEFORE_CHANGE_MS);
  }

  /** Waits for what is asked in the background. */
  async settled(): Promise<void> {
    await Promise.all(this.underWay);
  }

  /** The address of an id; undefined if there is none any more. @throws SealBroken */
  async open(id: string): Promise<string | undefined> {
    const [found] = await this.deps.storage.read(findNoticeAddress(id));
    return found && this.opened(found);
  }

  /** All of a user, also those that went a short while ago. @throws SealBroken */
  async of(userId: string): Promise<string[]> {
    const found = await this.deps.storage.read(findNoticeAddresses(userId));
    return found.map((each) => this.opened(each));
  }

  private opened({ id, userId, sealedAddress }: NoticeAddress): string {
    return this.deps.vault.open(sealedAddress, `notice-address:${id}:${userId}`).toString('utf8');
  }

  /** Never throws: what cannot be learnt now is asked for at the user's next request. */
  private async learn(asking: Asking, everyMs: number): Promise<void> {
    const { storage, log } = this.deps;
    const { userId } = asking;
    try {
      const taken = await storage.commit([userId], takeAddressesAsked(userId, { ...TIMES, everyMs }));
      if (taken === undefined) return;
      const named = await this.ask(asking);
      await storage.commit(
        [userId],
        named === undefined ? forgetAddressesAsked(userId) : await this.changes(userId, named),
      );
    } catch (error) {
      log.debug({ err: error }, 'the mail addresses of a user could not be asked for');
      await storage.commit([userId], forgetAddressesAsked(userId)).catch(() => undefined);
    }
  }

  private async ask({ token, client }: Asking): Promise<string[] | undefined> {
    const { status, json } = await this.deps.homeserver.call({
      method: 'GET',
      path: '/_matrix/client/v3/account/3pid',
      token,
      client,
    });
    const threepids = json?.threepids;
    if (status !== 200 || !Array.isArray(threepids)) return undefined;
    const addresses = threepids.flatMap((each) =>
      isJsonObject(each) && each.medium === 'email' && typeof each.address === 'string' ? [each.address] : [],
    );
    return addresses.filter(isMailAddress);
  }

  private async changes(userId: string, named: readonly string[]): Promise<Effect[]> {
    const known = await this.deps.storage.read(findNoticeAddresses(userId));
    const opened = known.map((row) => ({ id: row.id, address: this.opened(row) }));
    const isNew = (address: string) => !opened.some((each) => each.address === address);
    // One that stands there twice, written by earlier versions, is told once in the end.
    const first = new Map(opened.toReversed().map(({ id, address }) => [address, id]));
    const isNamed = ({ id, address }: { readonly id: string; readonly address: string }) =>
      named.includes(address) && first.get(address) === id;
    const added = [...new Set(named)].filter(isNew).slice(0, Math.max(0, MOST_ADDRESSES - known.length));
    return [
      markAddressesAsked(userId),
      ...opened.map((each) => markNoticeAddress(each.id, isNamed(each))),
      ...added.map((address) => addNoticeAddress(this.sealed(userId, address))),
    ];
  }

  /**
   * The id is that of the address: two requests of one moment, which both find it new, add it once, so that it gets each
   * mail once. Who reads the table does not learn the address by it.
   */
  private sealed(userId: string, address: string): NoticeAddress {
    const digest = this.deps.vault.digest('notice-address', JSON.stringify([userId, address]));
    const id = hashToken(digest).slice(0, ID_LENGTH);
    return { id, userId, sealedAddress: this.deps.vault.seal(address, `notice-address:${id}:${userId}`) };
  }
}

/** Whether mail can go there: one mailbox, and nothing that a mail server could read as more. */
export function isMailAddress(text: string): boolean {
  return text.length <= 254 && ADDRESS.test(text) && !text.includes('..');
}
