import { expect, test } from '@jest/globals';
import { describeOnSynapse } from '../integration/describe_on_synapse.ts';
import { hasBrowser, openPage, startWholeBrowser } from '../support/browser.ts';
import { AccountPerson } from './account_person.ts';
import { loseAndReplaceThePhone } from './account_walk.ts';

const onBrowser = hasBrowser('the account page on a real Synapse') ? test : test.skip;

await describeOnSynapse('the account page, on a real Synapse', (app) => {
  onBrowser('a lost phone is replaced, and its owner is left with the one session of the page', async () => {
    const bob = await app().user();
    const browser = await startWholeBrowser();
    try {
      const page = await openPage(browser);
      await page.goto(`${app().url}/_2fa/account`);
      const person = new AccountPerson(page, app().clock, bob.name, bob.password);
      await loseAndReplaceThePhone(person, async () => undefined);
      await page.getByText('No other device is signed in.').waitFor();
      expect(await page.getByText('This page', { exact: true }).count()).toBe(1);
    } finally {
      await browser.close();
    }
  });
});
