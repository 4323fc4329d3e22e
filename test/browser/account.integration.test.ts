import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { writeRegistration } from '../../src/cli/init_appservice.ts';
import { systemRandom } from '../../src/system/random.ts';
import { describeOnSynapse } from '../integration/describe_on_synapse.ts';
import { hasBrowser, openPage, startWholeBrowser } from '../support/browser.ts';
import { ClientPage } from '../support/client_page.ts';
import { LocalhostFront } from '../support/localhost_front.ts';
import { AccountPerson } from './account_person.ts';
import { loseAndReplaceThePhone } from './account_walk.ts';
import { signInWithAPasskeyAlone } from './passkey_walk.ts';
import { liveWithASecurityKey } from './security_key_walk.ts';

const inBrowser = hasBrowser('the account page on a real Synapse') ? describe : describe.skip;
const front = new LocalhostFront();
const ownFolder = mkdtempSync(join(tmpdir(), 'own-registration-'));
const ownFile = join(ownFolder, 'appservice.yaml');
afterAll(async () => {
  rmSync(ownFolder, { recursive: true });
  await front.stop();
});

await describeOnSynapse(
  'the account page, on a real Synapse',
  (app) => {
    inBrowser('in a browser', () => {
      let browser: Browser;
      let page: Page;

      beforeAll(async () => {
        front.target = app().url;
        browser = await startWholeBrowser();
        page = await openPage(browser);
      });
      afterAll(() => browser.close());

      test('a lost phone is replaced, and its owner is left with the one session of the page', async () => {
        const bob = await app().user();
        await page.goto(`${app().url}/_2fa/account`);
        const person = new AccountPerson(page, app().clock, bob.name, bob.password);
        await loseAndReplaceThePhone(person, async () => undefined);
        await page.getByText('No other device is signed in.').waitFor();
        expect(await page.getByText('This page', { exact: true }).count()).toBe(1);
        await page.context().close();
      });

      test('a person lives with nothing but a security key', async () => {
        page = await openPage(browser);
        const client = await ClientPage.serve(front.url);
        const places = { account: `${front.url}/_2fa/account`, client: client.url };
        await liveWithASecurityKey(app(), page, places);
        await client.stop();
      });

      test('a person signs in with a passkey alone, to a client and to the account page', async () => {
        page = await openPage(browser);
        const client = await ClientPage.serve(front.url);
        const places = { account: `${front.url}/_2fa/account`, client: client.url };
        await signInWithAPasskeyAlone(app(), page, places);
        await client.stop();
      });
    });
  },
  async () => {
    await front.listen();
    writeRegistration({ file: ownFile, serverName: 'localhost' }, systemRandom);
    return { config: front.settings.replace('}', ', passwordless: true }'), ownFile };
  },
);
