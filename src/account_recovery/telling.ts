import type { NotifyConfig } from '../config/config.ts';
import type { Addresses } from '../notify/addresses.ts';
import { recoveryEvent } from '../notify/recovery_message.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import {
  addRecipient,
  listRecipients,
  type RecipientChannel,
  type RecipientRole,
  tellRecipients,
} from '../storage/tables/recovery_notices.ts';
import type { Recipients } from './recipients.ts';
import type { Occasion, RecoveringUser, RecoveryName, RecoveryTelling, ShownRecipient } from './seams.ts';

export interface TellingDeps {
  readonly storage: Pick<Storage, 'read'>;
  readonly recipients: Recipients;
  readonly addresses: Pick<Addresses, 'beforeChange'>;
  /** As it is now: it may be read again while `serve` runs. */
  readonly notify: () => NotifyConfig;
}

/** Occasions of which one role alone is told: owners see for themselves which of their devices are used. */
const ROLES: Partial<Record<Occasion, RecipientRole>> = { used: 'operator' };

/** What tells all who are in the list of a request, by each channel that is on: no channel stands for another one. */
export function tellingBy(notify: () => NotifyConfig): Pick<RecoveryTelling, 'tell'> {
  return {
    tell: ({ id, userId }, occasion) => {
      const told = { requestId: id, userId, occasion, event: recoveryEvent(occasion), role: ROLES[occasion] };
      return tellRecipients(told, channelsOf(notify()));
    },
  };
}

function channelsOf(notify: NotifyConfig): readonly RecipientChannel[] {
  return (['mail', 'matrix', 'sms'] as const).filter((channel) => notify[channel] !== undefined);
}

/** Tells everybody in the list of a request. What it makes belongs into the unit of what it tells of. */
export class Telling implements RecoveryTelling {
  constructor(private readonly deps: TellingDeps) {}

  /** The homeserver is asked for the owner's addresses before: with the login that has just proven the password. */
  async fixed({ userId, grant, client }: RecoveringUser, { id }: RecoveryName): Promise<Write> {
    const { recipients, addresses } = this.deps;
    await grant.learnAddresses(addresses, client);
    return recipients.frozen({ requestId: id, userId }, await recipients.of(userId)).map(addRecipient);
  }

  tell(request: RecoveryName, occasion: Occasion): Write {
    return tellingBy(this.deps.notify).tell(request, occasion);
  }

  async shown({ id }: RecoveryName): Promise<readonly ShownRecipient[]> {
    const channels = this.channels();
    const rows = await this.deps.storage.read(listRecipients(id));
    return this.deps.recipients.shown(rows.filter(({ channel }) => channels.includes(channel)));
  }

  /** The channels on which people are told now. */
  channels(): readonly RecipientChannel[] {
    return channelsOf(this.deps.notify());
  }
}
