import { findRoute } from '../../http/route_index.ts';
import type { Deed } from '../../http/routes.ts';
import type { Session } from '../../uia/session.ts';
import type { Texts } from '../texts/en.ts';
import { counted } from '../texts/texts.ts';

type DeedText = (texts: Texts['fallback'], session: Session) => string;

/** What each deed is called: one without a text does not compile. */
export type DeedTexts = Readonly<Record<Deed, DeedText>>;

const DEED_TEXTS: DeedTexts = {
  remove_devices: (texts, session) => counted(texts.removeSessions, devicesIn(session)),
  remove_device: (texts) => counted(texts.removeSessions, 1),
  change_password: (texts) => texts.changePassword,
  deactivate_account: (texts) => texts.deactivate,
  add_address: (texts) => texts.addAddress,
  remove_address: (texts) => texts.removeAddress,
  set_signing_keys: (texts) => texts.signingKeys,
  give_login_token: (texts) => texts.loginToken,
  set_up_factor: (texts) => texts.setUpTotp,
  remove_authenticators: (texts) => texts.removeTotp,
  renew_recovery_codes: (texts) => texts.renewCodes,
  delete_recovery_codes: (texts) => texts.deleteCodes,
};

/** Says what will happen once this session is done, from what it was opened for. */
export function consequenceText({ fallback }: Texts, session: Session): string {
  const deed = findRoute(session.binding.target)?.deed;
  return deed === undefined ? fallback.something : DEED_TEXTS[deed](fallback, session);
}

function devicesIn({ body }: Session): number {
  return Array.isArray(body?.devices) ? new Set(body.devices).size : 1;
}
