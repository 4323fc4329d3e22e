import { type ApiAnswer, ask, passwordLogin, textIn } from './client.ts';
import { DemoFailure } from './demo_failure.ts';
import type { Phone } from './phone.ts';

/** Where a user stands at the proxy. */
export interface Account {
  /** The proxy. */
  readonly url: string;
  readonly userId: string;
  readonly password: string;
  readonly token: string;
}

export interface Enrolled {
  readonly phone: Phone;
  readonly recoveryCodes: readonly string[];
}

/** Told about each request of a conversation, and what came back. */
export type Witness = (asked: string, answer: ApiAnswer) => void;

/** @throws DemoFailure if the sign-in is refused */
export async function signIn(url: string, user: string, password: string): Promise<Account> {
  const body = passwordLogin(user, password, { initial_device_display_name: 'two-factor demo' });
  const answer = await ask(url, { path: 'v3/login', body });
  if (answer.status !== 200) throw new DemoFailure(`${user} cannot sign in: ${inShort(answer)}`);
  return { url, userId: textIn(answer, 'user_id'), password, token: textIn(answer, 'access_token') };
}

/**
 * Turns 2FA on as any client would: asks for a seed, proves the password, confirms with the first code.
 *
 * @throws DemoFailure
 */
export async function enrol(
  account: Account,
  phoneWith: (seed: string) => Phone,
  witness: Witness = () => undefined,
): Promise<Enrolled> {
  const path = 'v3/account/two-factor/totp';
  const { url, token } = account;
  const challenge = await ask(url, { path, token, body: { name: 'phone' } });
  witness('POST two-factor/totp, with an access token alone', challenge);
  const auth = {
    type: 'm.login.password',
    session: textIn(challenge, 'session'),
    identifier: { type: 'm.id.user', user: account.userId },
    password: account.password,
  };
  const setup = await ask(url, { path, token, body: { auth } });
  witness('the same with the password', setup);
  if (setup.status !== 200) throw new DemoFailure(`2FA cannot be turned on: ${inShort(setup)}`);

  const phone = phoneWith(textIn(setup, 'seed'));
  const confirmed = await ask(url, {
    path: `${path}/confirm`,
    token,
    body: { setup_id: textIn(setup, 'setup_id'), token: phone.previousCode() },
  });
  witness('POST two-factor/totp/confirm, with a first code', confirmed);
  if (confirmed.status !== 200) throw new DemoFailure(`2FA cannot be turned on: ${inShort(confirmed)}`);
  return { phone, recoveryCodes: recoveryCodesIn(confirmed) };
}

export function recoveryCodesIn(answer: ApiAnswer): string[] {
  const codes = answer.body.recovery_codes;
  return Array.isArray(codes) ? codes.map(String) : [];
}

/** Status and reason of an answer that was not expected. */
export function inShort({ status, body }: ApiAnswer): string {
  const wait = status === 429 ? ' (for trying, raise rc_login in the homeserver configuration)' : '';
  return `${status} ${String(body.errcode ?? '')} ${String(body.error ?? '')}${wait}`.trim();
}
