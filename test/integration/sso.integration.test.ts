/** Synapse with an OpenID provider of its own, in a real browser: the provider leads through us. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { writeRegistration } from '../../src/cli/init_appservice.ts';
import { systemRandom } from '../../src/system/random.ts';
import { type OidcProvider, startOidcProvider } from '../../tools/oidc_provider.ts';
import { seedIn } from '../account/account.ts';
import { describeInBrowser, openPage, press as pressOn, startWholeBrowser } from '../support/browser.ts';
import { ClientPage } from '../support/client_page.ts';
import { codeAt } from '../support/enrolment.ts';
import {
  CLIENT,
  passwordAuth,
  type RealApp,
  type SignedIn,
  TOTP,
  type TwoFactorUser,
} from '../support/real_app.ts';
import { describeOnSynapse } from './describe_on_synapse.ts';

const OIDC_CLIENT = { clientId: 'synapse', clientSecret: 'secret of the client' };

const ownFolder = mkdtempSync(join(tmpdir(), 'own-registration-'));
const ownFile = join(ownFolder, 'appservice.yaml');
afterAll(() => rmSync(ownFolder, { recursive: true }));

let provider: OidcProvider | undefined;

await describeOnSynapse(
  'single sign-on of a real Synapse',
  (app) => {
    afterAll(() => provider?.stop());
    describeInBrowser('single sign-on of a real Synapse, in a browser', () => inBrowser(app));
  },
  async () => {
    provider = await startOidcProvider(OIDC_CLIENT);
    const { issuer } = provider;
    writeRegistration({ file: ownFile, serverName: 'localhost' }, systemRandom);
    return { ownFile, reachable: true, synapse: (publicBaseUrl) => singleSignOn(issuer, publicBaseUrl) };
  },
);

/** As an operator writes it down; accounts with a password may be entered through the provider, too. */
function singleSignOn(issuer: string, publicBaseUrl: string) {
  return {
    oidc_providers: [
      {
        idp_id: 'university',
        idp_name: 'University',
        issuer,
        // http on loopback.
        skip_verification: true,
        client_id: OIDC_CLIENT.clientId,
        client_secret: OIDC_CLIENT.clientSecret,
        scopes: ['openid', 'profile'],
        allow_existing_users: true,
        user_mapping_provider: { config: { localpart_template: '{{ user.preferred_username }}' } },
      },
    ],
    sso: { client_whitelist: [`${publicBaseUrl}/_2fa/login/provider`] },
  };
}

function inBrowser(app: () => RealApp): void {
  let browser: Browser;
  let client: ClientPage;
  let page: Page;

  beforeAll(async () => {
    browser = await startWholeBrowser();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    client = await ClientPage.serve(app().url);
    page = await openPage(browser);
  });
  afterEach(async () => {
    await page.context().close();
    await client.stop();
  });

  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
  const visitsOf = (name: string) =>
    provider?.visits.filter(({ user }) => user === name).map(({ kind }) => kind);

  /** From the client's button through the provider, which asks for a name the first time. */
  async function comeAs(name: string): Promise<void> {
    await page.goto(client.url);
    await press('Sign in elsewhere');
    await page.getByRole('heading', { name: 'University' }).waitFor();
    await page.getByLabel('Name').fill(name);
    await press('Enter');
  }

  async function giveCode(bob: TwoFactorUser): Promise<void> {
    await page.getByRole('heading', { name: 'Two-factor authentication' }).waitFor();
    await page.getByLabel('Authentication code').fill(app().code(bob));
    await page.keyboard.press('Enter');
  }

  async function goOn(): Promise<{ userId: string; deviceId: string }> {
    await page.getByRole('heading', { name: 'Continue to ' }).waitFor();
    await pressOn(page, 'Continue');
    const state = page.getByText(/^in the client as/);
    await state.waitFor();
    const [, userId = '', deviceId = ''] = /as (\S+) on (\S+)/.exec((await state.textContent()) ?? '') ?? [];
    return { userId, deviceId };
  }

  /** The provider's address as Synapse itself gives it to a browser that did not come by us. */
  async function providerPastUs(): Promise<string> {
    const redirectUrl = encodeURIComponent(client.url);
    const { headers } = await app().direct({
      target: `${CLIENT}/login/sso/redirect/oidc-university?redirectUrl=${redirectUrl}`,
      headers: { host: new URL(app().url).host },
    });
    const cookies = (headers['set-cookie'] ?? []).map((cookie) => {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
      return { name, value, url: `${app().url}/_synapse/client/oidc/callback` };
    });
    await page.context().addCookies(cookies);
    return headers.location ?? '';
  }

  async function accessToken(): Promise<string> {
    return String(await page.evaluate("JSON.parse(sessionStorage.getItem('session')).access_token"));
  }

  async function opened(name: string): Promise<Page> {
    const popup = page.waitForEvent('popup');
    await press(name);
    return popup;
  }

  async function devicesOf(user: SignedIn): Promise<string[]> {
    await app().proxy.keepHouse();
    const { json } = await app().direct({ target: `${CLIENT}/devices`, token: user.token });
    return (json.devices as { device_id: string }[]).map((device) => device.device_id).sort();
  }

  test('the homeserver’s provider stays listed beside ours', async () => {
    const { json } = await app().call({ target: `${CLIENT}/login` });
    expect(json.flows).toContainEqual({
      type: 'm.login.sso',
      identity_providers: [
        { id: 'two-factor', name: 'password and code' },
        { id: 'oidc-university', name: 'University' },
      ],
    });
  });

  test('an account without a password turns 2FA on by the page of the API, and removes a session by code and provider', async () => {
    const name = 'evelyn';
    await comeAs(name);
    await goOn();
    const token = await accessToken();
    const challenge = await app().post(TOTP, { name: 'phone' }, token);
    expect(challenge.json.flows).toEqual([{ stages: ['m.login.sso'] }]);
    const session = String(challenge.json.session);
    const target = `${CLIENT}/auth/m.login.sso/fallback/web?session=${encodeURIComponent(session)}`;
    await page.goto(app().url + target);
    await page.getByRole('link', { name: 'Continue with University' }).click();
    await page.getByText('You can close this page').waitFor();
    const begun = await app().post(TOTP, { auth: { session } }, token);
    const seed = seedIn(begun.json.seed);
    const confirmed = await app().post(
      `${TOTP}/confirm`,
      { setup_id: String(begun.json.setup_id), token: codeAt(seed, app().clock.now()) },
      token,
    );
    expect(confirmed.status).toBe(200);
    await page.goto(client.url);
    await press('Sign in elsewhere');
    await page.getByRole('heading', { name: 'Two-factor authentication' }).waitFor();
    app().clock.advance(30_000);
    await page.getByLabel('Authentication code').fill(codeAt(seed, app().clock.now()));
    await page.keyboard.press('Enter');
    await goOn();

    // What Synapse guards: our page asks for the code, and leads to Synapse's own page.
    app().clock.advance(30_000);
    const popup = await opened('Remove the other session');
    await popup.getByLabel('Authentication code').fill(codeAt(seed, app().clock.now()));
    await popup.keyboard.press('Enter');
    await popup.getByRole('button', { name: 'Continue' }).click();
    await popup.getByRole('link', { name: 'Continue with University' }).click();
    await page.getByText('removed: 200').waitFor();
  });

  test('an account without a password turns 2FA on on the account page', async () => {
    await page.goto(`${app().url}/_2fa/account`);
    await page.getByRole('link', { name: 'Continue with University' }).click();
    await page.getByLabel('Name').fill('felix');
    await press('Enter');
    await press('Turn on two-factor authentication');
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Password').waitFor({ state: 'hidden' });
    await dialog.getByRole('button', { name: 'Continue' }).last().click();
    const popup = page.waitForEvent('popup');
    await dialog.getByText('Sign in with your provider once more').waitFor();
    await dialog.getByRole('button', { name: 'Continue' }).first().click();
    await (await popup).getByRole('link', { name: 'Continue with University' }).click();
    await page.getByRole('link', { name: 'Open authenticator app' }).waitFor();
  });

  test('with 2FA: the provider asks once, we ask for one code, and one session comes of it', async () => {
    const bob = await app().enrolledUser();
    await comeAs(bob.name);
    await giveCode(bob);
    const { userId, deviceId } = await goOn();
    expect(userId).toBe(bob.userId);
    expect(visitsOf(bob.name)).toEqual(['asked', 'silent']);
    expect(await devicesOf(bob)).toEqual([bob.deviceId, deviceId].sort());
  });

  test('a client that was softly logged out keeps its device', async () => {
    const bob = await app().enrolledUser();
    await comeAs(bob.name);
    await giveCode(bob);
    const { deviceId } = await goOn();
    await press('Sign in elsewhere');
    await giveCode(bob);
    expect(await goOn()).toEqual({ userId: bob.userId, deviceId });
    expect(visitsOf(bob.name)).toEqual(['asked', 'silent', 'silent', 'silent']);
    expect(await devicesOf(bob)).toEqual([bob.deviceId, deviceId].sort());
  });

  test('attack 36: without the code there is no session, and nothing is left of the way up to there', async () => {
    const bob = await app().enrolledUser();
    await comeAs(bob.name);
    await page.getByRole('heading', { name: 'Two-factor authentication' }).waitFor();
    await page.getByLabel('Authentication code').fill(app().wrongCode(bob));
    await page.keyboard.press('Enter');
    await page.getByText('That code is incorrect or was already used.').waitFor();
    app().clock.advance(10 * 60_000);
    expect(await devicesOf(bob)).toEqual([bob.deviceId]);
  });

  test('attack 36: a login token of the homeserver that came past our pages wants a code', async () => {
    const bob = await app().enrolledUser();
    await page.goto(await providerPastUs());
    await page.getByLabel('Name').fill(bob.name);
    await press('Enter');
    const link = await page.getByRole('link', { name: 'Continue' }).getAttribute('href');
    const token = new URL(link ?? '').searchParams.get('loginToken');
    const answer = await app().post(`${CLIENT}/login`, { type: 'm.login.token', token });
    expect(answer.status).toBe(401);
    expect(answer.text).not.toContain('access_token');
    expect(answer.json.completed).toEqual(['m.login.token']);
  });

  describe('an account without a password', () => {
    test('signs in without a code, ends its sessions at the provider, and proves nothing by a password', async () => {
      await comeAs('carol');
      expect((await goOn()).userId).toBe('@carol:localhost');
      const token = await accessToken();

      const popup = await opened('Remove the other session');
      // Synapse's own page leads to the provider, whose session stands.
      await popup.getByRole('link', { name: 'Continue with University' }).click();
      await page.getByText('removed: 200').waitFor();

      const first = await app().post(TOTP, { name: 'phone' }, token);
      const auth = {
        ...passwordAuth({ userId: '@carol:localhost' }, 'guessed'),
        session: first.json.session,
      };
      const refused = await app().post(TOTP, { name: 'phone', auth }, token);
      // Its flows have no such stage.
      expect(refused.status).toBe(400);
    });

    test('the account page says where it is to go', async () => {
      await page.goto(`${app().url}/_2fa/account`);
      await page.getByRole('link', { name: 'Continue with University' }).waitFor();
    });
  });
}
