import type { Session } from '../../uia/session.ts';
import type { Texts } from '../texts/en.ts';
import { counted } from '../texts/texts.ts';

type Deeds = Texts['fallback'];

/** What each request does, by its method and the end of its path. */
const DEEDS: readonly (readonly [target: RegExp, deed: (texts: Deeds, session: Session) => string])[] = [
  [/^POST .*\/delete_devices$/, (texts, session) => counted(texts.removeSessions, devicesIn(session))],
  [/^DELETE .*\/devices\/[^/]+$/, (texts) => counted(texts.removeSessions, 1)],
  [/^POST .*\/account\/password$/, (texts) => texts.changePassword],
  [/^POST .*\/account\/deactivate$/, (texts) => texts.deactivate],
  [/^POST .*\/account\/3pid(\/add)?$/, (texts) => texts.addAddress],
  [/^POST .*\/account\/3pid\/(delete|unbind)$/, (texts) => texts.removeAddress],
  [/^POST .*\/keys\/device_signing\/upload$/, (texts) => texts.signingKeys],
  [/^POST .*\/login\/(get_)?token$/, (texts) => texts.loginToken],
  [/^POST .*\/account\/two-factor\/totp$/, (texts) => texts.setUpTotp],
  [/^DELETE .*\/account\/two-factor\/totp$/, (texts) => texts.removeTotp],
  [/^POST .*\/account\/two-factor\/recovery$/, (texts) => texts.renewCodes],
  [/^DELETE .*\/account\/two-factor\/recovery$/, (texts) => texts.deleteCodes],
];

/** Says what will happen once this session is done, from what it was opened for. */
export function consequenceText({ fallback }: Texts, session: Session): string {
  const [path = ''] = session.binding.target.split('?');
  const found = DEEDS.find(([target]) => target.test(path));
  return found === undefined ? fallback.something : found[1](fallback, session);
}

function devicesIn({ body }: Session): number {
  return Array.isArray(body?.devices) ? new Set(body.devices).size : 1;
}
