import type { NotifyConfig } from '../config/config.ts';
import type { Rate } from '../limits/rate_limit.ts';
import { SharedLimit } from '../limits/shared_limit.ts';
import { Refusal } from '../matrix/refusals.ts';
import { isMailAddress } from '../notify/addresses.ts';
import { CONFIRM_CONTACT, openContact, sealContact } from '../notify/contact_confirmation.ts';
import { isPhoneNumber } from '../notify/sms_channel.ts';
import type { Effect } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { addNotice } from '../storage/tables/notices.ts';
import type { RecoveryContactsRow } from '../storage/tables/recovery_contacts.ts';
import { type Clock, HOUR, SECOND } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Vault } from '../vault/vault.ts';

/** How long the link that confirms an address is good. */
const CONFIRM_WITHIN_MS = 24 * HOUR;

/** How often links are sent for an owner, and to a number by all owners together: text messages cost money. */
const LINKS_A_DAY: Readonly<Record<ContactKind, number>> = { mail: 10, phone: 3 };
const PERIOD_S = (24 * HOUR) / SECOND;

/** The limits on links to a contact address. */
export const CONTACT_LINKS: readonly Rate[] = Object.values(LINKS_A_DAY).map(aDay);

type ContactKind = NonNullable<RecoveryContactsRow['contactKind']>;

/** A contact address as it is asked for. */
export interface WantedContact {
  readonly kind: ContactKind;
  readonly address: string;
}

export interface ContactAddressDeps {
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  readonly vault: Vault;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** As it is now: it may be read again while `serve` runs. */
  readonly notify: () => NotifyConfig;
}

type ContactColumns = Pick<
  RecoveryContactsRow,
  'contactKind' | 'sealedContact' | 'contactConfirmedAt' | 'confirmHash' | 'confirmUntil'
>;

export const NO_ADDRESS: ContactColumns = {
  ...{ contactKind: null, sealedContact: null, contactConfirmedAt: null },
  ...{ confirmHash: null, confirmUntil: null },
};

/** The one further address that an owner leaves for notices of a recovery. It counts once its link was followed. */
export class ContactAddresses {
  private readonly limits: Readonly<Record<ContactKind, SharedLimit>>;

  constructor(private readonly deps: ContactAddressDeps) {
    const limitOn = (kind: ContactKind) =>
      new SharedLimit(deps, `contact ${kind}`, aDay(LINKS_A_DAY[kind]), 'contact_links');
    this.limits = { mail: limitOn('mail'), phone: limitOn('phone') };
  }

  isAvailable(kind: ContactKind): boolean {
    return this.deps.notify()[kind === 'mail' ? 'mail' : 'sms'] !== undefined;
  }

  /** @throws Refusal invalid_param */
  requireSound({ kind, address }: WantedContact): void {
    const fault = kind === 'mail' ? this.faultOfMail(address) : this.faultOfNumber(address);
    if (fault !== undefined) throw new Refusal('invalid_param', { text: fault });
  }

  private faultOfMail(address: string): string | undefined {
    if (!this.isAvailable('mail')) return 'This server sends no mail.';
    return isMailAddress(address) ? undefined : 'This is not a mail address.';
  }

  private faultOfNumber(number: string): string | undefined {
    if (!this.isAvailable('phone')) return 'This server sends no text messages.';
    if (!isPhoneNumber(number)) return 'This is not a phone number such as +4915112345678.';
    const { prefixes } = this.deps.notify().sms ?? {};
    const isTaken = prefixes === undefined || prefixes.some((prefix) => number.startsWith(prefix));
    return isTaken ? undefined : 'This server sends no text messages to such numbers.';
  }

  /**
   * Takes one of the links that may be sent in a day, for the owner, and to the address. It is not given back.
   * @throws Refusal `limit_exceeded`
   */
  async takeLink(userId: string, { kind, address }: WantedContact): Promise<void> {
    await this.limits[kind].take(userId);
    // Someone who can read the table does not learn the address.
    await this.limits[kind].take(this.deps.vault.digest('contact-address', address));
  }

  /** What becomes of the row of a user; the same address again stays as it is, confirmed or not. */
  columnsWith({ kind, address }: WantedContact, before: RecoveryContactsRow): ContactColumns {
    const { vault, random, clock } = this.deps;
    if (this.isKnown(address, before)) return before;
    const token = randomId(random);
    return {
      contactKind: kind,
      sealedContact: sealContact(before.userId, { address, token }, vault),
      contactConfirmedAt: null,
      confirmHash: hashToken(token),
      confirmUntil: clock.now() + CONFIRM_WITHIN_MS,
    };
  }

  /** Whether it is confirmed, or its link is still good. */
  private isKnown(address: string, before: RecoveryContactsRow): boolean {
    const { vault, clock } = this.deps;
    const isSame = openContact(before, vault)?.address === address;
    return isSame && (before.contactConfirmedAt !== null || (before.confirmUntil ?? 0) > clock.now());
  }

  /** The message with the link, where the change of a row needs one. */
  asking(
    before: RecoveryContactsRow,
    { userId, confirmHash, contactKind }: RecoveryContactsRow,
  ): readonly Effect[] {
    if (confirmHash === null || confirmHash === before.confirmHash) return [];
    const { random, clock } = this.deps;
    const told = { event: CONFIRM_CONTACT, userId, actor: 'user', address: null, deviceId: null };
    return [
      addNotice(
        randomId(random),
        contactKind === 'phone' ? 'sms' : 'mail',
        { ...told, detail: {}, happenedAt: clock.now() },
        // What the link is found by: it is not sent once another one took its place.
        confirmHash,
      ),
    ];
  }
}

function aDay(count: number): Rate {
  return { perSecond: count / PERIOD_S, burstCount: count };
}
