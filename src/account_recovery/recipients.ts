import type { Addresses } from '../notify/addresses.ts';
import { openRecipient, sealRecipient } from '../notify/recovery_notices.ts';
import type {
  RecipientChannel,
  RecipientRole,
  RecoveryRecipient,
} from '../storage/tables/recovery_notices.ts';
import { type RandomSource, randomId } from '../system/random.ts';
import { hashToken } from '../system/token_hash.ts';
import type { Vault } from '../vault/vault.ts';
import { shownAddress } from './shown_address.ts';

/** So many are told at most. Those named first stay: the owner's own addresses. */
const MOST_RECIPIENTS = 50;

/** Someone who is to be told. */
export interface Recipient {
  readonly channel: RecipientChannel;
  readonly role: RecipientRole;
  /** A mail address, a Matrix id or a telephone number. */
  readonly address: string;
  /** Whose address it is, where that is another user. */
  readonly person?: string;
}

/** Those whom an owner has named beforehand, as far as they count now. */
export interface NamedBeforehand {
  readonly voters: readonly string[];
  readonly contact?: { readonly kind: 'mail' | 'phone'; readonly address: string } | undefined;
}

/** What the person who begins a request is told of a recipient. */
export interface ShownRecipient {
  readonly channel: RecipientChannel;
  readonly address: string;
}

export interface RecipientsDeps {
  readonly addresses: Pick<Addresses, 'of'>;
  readonly vault: Vault;
  readonly random: RandomSource;
  /** Left out where owners can name no one. */
  readonly namedBy?: (userId: string) => Promise<NamedBeforehand | undefined>;
  /** Those who administer rooms together with a user; left out where they are not told. */
  readonly roomAdminsOf?: (userId: string) => Promise<readonly string[]>;
  /** The operators in the configuration: Matrix ids and mail addresses. */
  readonly operators: () => readonly string[];
}

/**
 * Whom a recovery request tells. The list is made when it begins, and frozen: what is removed or changed afterwards takes
 * no one from it.
 */
export class Recipients {
  constructor(private readonly deps: RecipientsDeps) {}

  /** Everybody whom a request of this user would tell now, each once. @throws SealBroken */
  async of(userId: string): Promise<readonly Recipient[]> {
    const { addresses, namedBy, roomAdminsOf, operators } = this.deps;
    const named = await namedBy?.(userId);
    const mails = await addresses.of(userId);
    const all: Recipient[] = [
      { role: 'owner', channel: 'matrix', address: userId },
      ...mails.map((address): Recipient => ({ role: 'owner', channel: 'mail', address })),
      ...contactIn(named),
      ...operators().map(
        (address): Recipient => ({ role: 'operator', channel: channelTo(address), address }),
      ),
      ...(await this.votersIn(named)),
      ...((await roomAdminsOf?.(userId)) ?? []).map(
        (address): Recipient => ({ role: 'room_admin', channel: 'matrix', address }),
      ),
    ];
    const once = new Map(all.toReversed().map((each) => [`${each.channel} ${each.address}`, each]));
    return all
      .filter((each) => once.get(`${each.channel} ${each.address}`) === each)
      .slice(0, MOST_RECIPIENTS);
  }

  /** The voters, with each way on which they can be reached, as the owner is. */
  private async votersIn(named: NamedBeforehand | undefined): Promise<readonly Recipient[]> {
    const all: Recipient[] = [];
    for (const person of named?.voters ?? []) {
      all.push({ role: 'voter', channel: 'matrix', address: person, person });
      for (const address of await this.deps.addresses.of(person)) {
        all.push({ role: 'voter', channel: 'mail', address, person });
      }
    }
    return all;
  }

  /** The rows of a request that begins, each with a link of its own (160 bit). */
  frozen(
    request: { readonly requestId: string; readonly userId: string },
    recipients: readonly Recipient[],
  ): readonly RecoveryRecipient[] {
    const { random, vault } = this.deps;
    return recipients.map(({ channel, role, address }) => {
      const row = { ...request, id: randomId(random, 96), channel, role };
      const token = randomId(random);
      const sealedAddress = sealRecipient(vault, row, { address, token });
      return { ...row, sealedAddress, cancelHash: hashToken(token) };
    });
  }

  /** As a person sees them who has given the password, and no more. @throws SealBroken */
  shown(rows: readonly RecoveryRecipient[]): readonly ShownRecipient[] {
    return rows.map((row) => ({
      channel: row.channel,
      address: shownAddress(openRecipient(this.deps.vault, row).address),
    }));
  }
}

function channelTo(address: string): RecipientChannel {
  return address.startsWith('@') ? 'matrix' : 'mail';
}

function contactIn(named: NamedBeforehand | undefined): Recipient[] {
  if (named?.contact === undefined) return [];
  const { kind, address } = named.contact;
  return [{ role: 'contact', channel: kind === 'mail' ? 'mail' : 'sms', address }];
}
