import type { Factor } from '../../factors/factor.ts';
import { findRoute } from '../../http/route_index.ts';
import type { Deed } from '../../http/routes.ts';
import type { Language } from '../../system/languages.ts';
import type { Session } from '../../uia/session.ts';
import type { Say } from '../texts/texts.ts';

type DeedText = (say: Say, session: Session) => string;

/** The words for these stand in the folder of the factor that the path names. */
const FACTOR_DEEDS = { set_up_factor: 'setUp', remove_authenticators: 'remove' } as const satisfies Partial<
  Record<Deed, string>
>;
type FactorDeed = keyof typeof FACTOR_DEEDS;

/** What each deed is called: one without a text does not compile. */
export type DeedTexts = Readonly<Record<Exclude<Deed, FactorDeed>, DeedText>>;

const DEED_TEXTS: DeedTexts = {
  remove_devices: (say, session) => say('approve.removeDevices', { count: devicesIn(session) }),
  remove_device: (say) => say('approve.removeDevices', { count: 1 }),
  change_password: (say) => say('approve.changePassword'),
  deactivate_account: (say) => say('approve.deactivate'),
  add_address: (say) => say('approve.addAddress'),
  remove_address: (say) => say('approve.removeAddress'),
  set_signing_keys: (say) => say('approve.resetIdentity'),
  give_login_token: (say) => say('approve.loginToken'),
  turn_off: (say) => say('approve.turnOff'),
  renew_recovery_codes: (say) => say('approve.renewCodes'),
  create_device_password: (say) => say('approve.devicePassword'),
  cast_recovery_vote: (say) => say('approve.recoveryVote'),
  change_recovery_contacts: (say) => say('approve.recoveryContacts'),
  delete_recovery_contacts: (say) => say('approve.noRecoveryContacts'),
  delete_recovery_codes: (say) => say('approve.deleteCodes'),
};

/** Says what will happen once this session is done, from what it was opened for. */
export function consequenceText(
  say: Say,
  session: Session,
  { factors, language }: { readonly factors: readonly Factor[]; readonly language: Language },
): string {
  const { target } = session.binding;
  const deed = findRoute(target)?.deed;
  if (deed === undefined) return say('approve.other');
  if (!isFactorDeed(deed)) return DEED_TEXTS[deed](say, session);
  const deeds = factors.find(({ kind }) => target.endsWith(`/${kind}`))?.setUp?.deeds;
  return deeds === undefined ? say('approve.other') : deeds[FACTOR_DEEDS[deed]][language];
}

function isFactorDeed(deed: Deed): deed is FactorDeed {
  return Object.hasOwn(FACTOR_DEEDS, deed);
}

function devicesIn({ body }: Session): number {
  return Array.isArray(body?.devices) ? new Set(body.devices).size : 1;
}
