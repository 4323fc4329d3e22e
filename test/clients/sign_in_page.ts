import type { RealApp, TwoFactorUser } from '../support/real_app.ts';
import { Visitor } from '../support/visitor.ts';

/**
 * Signs in on the page as a person would, after a client opened its browser.
 *
 * @param redirect path and query at which the client sent the browser
 * @returns the address to which the browser is sent back, with the login token in it
 */
export async function signInOnPage(app: RealApp, user: TwoFactorUser, redirect: string): Promise<URL> {
  const visitor = new Visitor(app.url);
  const led = await visitor.open(redirect);
  await visitor.open(String(led.headers.location));
  await visitor.send({ user: user.name, password: user.password });
  await visitor.send({ code: app.code(user) });
  const back = await visitor.send({ decision: 'allow' });
  if (back.status !== 303) throw new Error(`the page did not send back: ${back.status} ${back.text}`);
  return new URL(String(back.headers.location));
}

/** The login token that a client with this address of its own gets. */
export async function loginToken(app: RealApp, user: TwoFactorUser, client: string): Promise<string> {
  const redirect = `/_matrix/client/v3/login/sso/redirect?redirectUrl=${encodeURIComponent(client)}`;
  const back = await signInOnPage(app, user, redirect);
  return String(back.searchParams.get('loginToken'));
}
