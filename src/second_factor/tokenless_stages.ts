import { Refusal } from '../matrix/refusals.ts';
import type { PresentedAuth } from '../uia/presented_auth.ts';

/**
 * The stages that the specification has where there is no access token: registration and the password reset
 * by e-mail. Homeservers judge an uninvited `m.login.password` there, without any limit (R6, attack 104).
 */
const TOKENLESS_STAGES = new Set([
  'm.login.email.identity',
  'm.login.msisdn',
  'm.login.dummy',
  'm.login.recaptcha',
  'm.login.terms',
  'm.login.registration_token',
  'org.matrix.msc3231.login.registration_token',
]);

/** @throws Refusal stage_not_offered if `auth` is of a stage that has no place where there is no token. */
export function requireTokenlessStage(auth: PresentedAuth | undefined): void {
  if (auth?.type === undefined || TOKENLESS_STAGES.has(auth.type)) return;
  throw new Refusal('stage_not_offered');
}
