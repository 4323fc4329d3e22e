import type { Factor } from '../../factors/factor.ts';
import { findRoute } from '../../http/route_index.ts';
import type { Deed } from '../../http/routes.ts';
import type { Language } from '../../system/languages.ts';
import type { Session } from '../../uia/session.ts';
import type { Texts } from '../texts/en.ts';
import { counted } from '../texts/texts.ts';

type DeedText = (texts: Texts['fallback'], session: Session) => string;

/** The words for these stand in the folder of the factor that the path names. */
const FACTOR_DEEDS = { set_up_factor: 'setUp', remove_authenticators: 'remove' } as const satisfies Partial<
  Record<Deed, string>
>;
type FactorDeed = keyof typeof FACTOR_DEEDS;

/** What each deed is called: one without a text does not compile. */
export type DeedTexts = Readonly<Record<Exclude<Deed, FactorDeed>, DeedText>>;

const DEED_TEXTS: DeedTexts = {
  remove_devices: (texts, session) => counted(texts.removeSessions, devicesIn(session)),
  remove_device: (texts) => counted(texts.removeSessions, 1),
  change_password: (texts) => texts.changePassword,
  deactivate_account: (texts) => texts.deactivate,
  add_address: (texts) => texts.addAddress,
  remove_address: (texts) => texts.removeAddress,
  set_signing_keys: (texts) => texts.signingKeys,
  give_login_token: (texts) => texts.loginToken,
  turn_off: (texts) => texts.turnOff,
  renew_recovery_codes: (texts) => texts.renewCodes,
  delete_recovery_codes: (texts) => texts.deleteCodes,
};

/** Says what will happen once this session is done, from what it was opened for. */
export function consequenceText(
  { fallback }: Texts,
  session: Session,
  { factors, language }: { readonly factors: readonly Factor[]; readonly language: Language },
): string {
  const { target } = session.binding;
  const deed = findRoute(target)?.deed;
  if (deed === undefined) return fallback.something;
  if (!isFactorDeed(deed)) return DEED_TEXTS[deed](fallback, session);
  const deeds = factors.find(({ kind }) => target.endsWith(`/${kind}`))?.setUp?.deeds;
  return deeds === undefined ? fallback.something : deeds[FACTOR_DEEDS[deed]][language];
}

function isFactorDeed(deed: Deed): deed is FactorDeed {
  return Object.hasOwn(FACTOR_DEEDS, deed);
}

function devicesIn({ body }: Session): number {
  return Array.isArray(body?.devices) ? new Set(body.devices).size : 1;
}
