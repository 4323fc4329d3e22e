import type { NotifyConfig } from '../config/config.ts';
import { Refusal } from '../matrix/refusals.ts';
import { isMailAddress } from '../notify/addresses.ts';
import { CONFIRM_CONTACT, openContact, sealContact } from '../notify/contact_confirmation.ts';
import { hashToken } from '../second_factor/fresh_logins.ts';
import type { Effect } from '../storage/statement.ts';
import { addNotice } from '../storage/tables/notices.ts';
import type { RecoveryContactsRow } from '../storage/tables/recovery_contacts.ts';
import { type Clock, HOUR } from '../system/clock.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import type { Vault } from '../vault/vault.ts';

/** How long the link that confirms an address is good. */
const CONFIRM_WITHIN_MS = 24 * HOUR;

export interface ContactAddressDeps {
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
  constructor(private readonly deps: ContactAddressDeps) {}

  isAvailable(): boolean {
    return this.deps.notify().mail !== undefined;
  }

  /** @throws Refusal invalid_param */
  requireSound(address: string): void {
    if (!this.isAvailable()) throw new Refusal('invalid_param', { text: 'This server sends no mail.' });
    if (!isMailAddress(address)) throw new Refusal('invalid_param', { text: 'This is not a mail address.' });
  }

  /** What becomes of the row of a user; the same address again stays as it is, confirmed or not. */
  columnsWith(address: string, before: RecoveryContactsRow): ContactColumns {
    const { vault, random, clock } = this.deps;
    const isSame = openContact(before, vault)?.address === address;
    if (isSame && (before.contactConfirmedAt !== null || (before.confirmUntil ?? 0) > clock.now()))
      return before;
    const token = randomId(random);
    return {
      contactKind: 'mail',
      sealedContact: sealContact(before.userId, { address, token }, vault),
      contactConfirmedAt: null,
      confirmHash: hashToken(token),
      confirmUntil: clock.now() + CONFIRM_WITHIN_MS,
    };
  }

  /** The mail with the link, where the change of a row needs one. */
  asking(before: RecoveryContactsRow, { userId, confirmHash }: RecoveryContactsRow): readonly Effect[] {
    if (confirmHash === null || confirmHash === before.confirmHash) return [];
    const { random, clock } = this.deps;
    const told = { event: CONFIRM_CONTACT, userId, actor: 'user', address: null, deviceId: null };
    return [
      addNotice(
        randomId(random),
        'mail',
        { ...told, detail: {}, happenedAt: clock.now() },
        // What the link is found by: the mail is not sent once another one took its place.
        confirmHash,
      ),
    ];
  }
}
