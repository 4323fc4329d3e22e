import { findContactList } from '../../account_recovery/contact_list.ts';
import { RecoveryEndings } from '../../account_recovery/endings.ts';
import { calendarsOf } from '../../account_recovery/frozen_calendar.ts';
import { Recipients } from '../../account_recovery/recipients.ts';
import { RoomAdmins } from '../../account_recovery/room_admins.ts';
import { Telling } from '../../account_recovery/telling.ts';
import { countingVoters } from '../../account_recovery/voters.ts';
import type { Audit } from '../../audit/audit.ts';
import type { Standings } from '../../second_factor/standing.ts';
import type { Foundations } from './foundations.ts';

/** What the recovery of an account has in common at all doors. */
export function recoveryParts(
  foundations: Foundations,
  { audit, standings }: { readonly audit: Audit; readonly standings: Standings },
) {
  const { config, storage, vault, random, clock, addresses } = foundations;
  const { votes } = config.accountRecovery;
  const roomAdmins = new RoomAdmins({ ...foundations, registration: config.homeserver.appservice });
  const recipients = new Recipients({
    ...{ addresses, vault, random },
    operators: () => config.accountRecovery.operators,
    namedBy: async (userId) => {
      const { contact, voters } = await findContactList(userId, { storage, vault });
      // Until its link was followed an address may be anyone's.
      const isConfirmed = contact !== undefined && contact.confirmedTs !== null;
      const { nominationAgeMs } = votes;
      const counting = votes.enabled
        ? await countingVoters({ userId, voters }, { now: clock.now(), nominationAgeMs }, standings)
        : [];
      return { voters: counting, contact: isConfirmed ? contact : undefined };
    },
    ...(config.accountRecovery.roomAdmins && { roomAdminsOf: (userId: string) => roomAdmins.of(userId) }),
  });
  const telling = new Telling({ storage, recipients, addresses, notify: () => config.notify });
  return {
    enabled: config.accountRecovery.enabled,
    telling,
    recipients,
    calendarOf: calendarsOf(config.accountRecovery.calendar),
    endings: new RecoveryEndings({ storage, audit, telling }),
  };
}
