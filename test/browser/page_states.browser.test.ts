import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser, BrowserContext } from 'playwright-core';
import { Examiner } from '../support/accessibility.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { describeInBrowser, startBrowser } from '../support/browser.ts';
import { ClientPage } from '../support/client_page.ts';
import { PasskeyUser } from '../support/passkey_user.ts';
import { ContactSheet } from './contact_sheet.ts';
import { PAGE_STATES } from './page_states.ts';
import { PASSWORD, PageVisit, type Scene } from './page_visit.ts';

jest.setTimeout(120_000);

/** `npm run pages` names a folder: then each state is photographed, in every look and in two languages. */
const FOLDER = process.env.M2FA_PAGES;
/** Where nothing is photographed only the main states are looked at in German, too. */
const LOOKED_AT = PAGE_STATES.flatMap((state) => {
  const languages = FOLDER === undefined && state.isMain !== true ? ['en'] : ['en', 'de'];
  return languages.map((language) => ({ language, state, name: state.name }));
});
/** The narrowest window, and one of 1000 px at 200 %. */
const WIDTHS = [320, 500];
const NAMES = [
  'alice',
  'bob',
  'carol',
  'dave',
  'erin',
  'gina',
  'grace',
  'heidi',
  'ida',
  'olga',
  'otto',
  'oleg',
];
const RECOVERY = 'account_recovery: { enabled: true }';
const LIMITS = 'limits: { per_address: { per_second: 1000, burst_count: 10000 } }';

const OWING = `policy: { users: { "@olga:localhost": required, "@otto:localhost": required, "@oleg:localhost": required } }`;

describeInBrowser('every state of every page', () => {
  const sheet = FOLDER === undefined ? undefined : new ContactSheet(FOLDER);
  let browser: Browser;
  let app: TestApp;
  let scene: Scene;
  let examiner: Examiner;
  /** One for each language: what pages load is loaded once. */
  const contexts = new Map<string, BrowserContext>();
  const seen: unknown[] = [];

  beforeAll(async () => {
    browser = await startBrowser();
    app = await startApp({
      users: [
        ...NAMES.map((name) => ({ name, password: PASSWORD })),
        { name: 'frank', password: 'frank password' },
      ],
      sso: { providers: [{ id: 'oidc', name: 'University' }], signedInAs: 'carol' },
      config: `${LIMITS}\n${OWING}\n${RECOVERY}\noauth: { enabled: true }`,
    });
    await new PasskeyUser(app, 'frank').enrol();
    const client = await ClientPage.serve(app.url);
    const users = {
      bob: await app.enrol('bob', 10),
      carol: await app.enrol('carol', 10),
      dave: await app.enrol('dave', 0),
      erin: await app.enrol('erin', 10),
      gina: await app.enrol('gina', 10),
      heidi: await app.enrol('heidi', 10),
      ida: await app.enrol('ida', 10),
      grace: {
        ...(await app.enrol('grace', 0)),
        recoveryCodes: (await app.enrol('grace', 10)).recoveryCodes,
      },
    };
    examiner = await Examiner.open(browser, `${app.url}/_2fa/help`);
    scene = { app, client, users, signedIn: new Map(), usedCodes: new Map() };
    const { token, deviceId } = app.stub.signIn('bob');
    const device = `/_matrix/client/v3/devices/${deviceId}`;
    await app.call({ method: 'PUT', target: device, json: { display_name: 'Pixel 9' }, token });
  });

  afterAll(async () => {
    if (sheet !== undefined) process.stdout.write(`All pictures: ${sheet.write()}\n`);
    await browser.close();
    await scene.client.stop();
    await app.stop();
  });

  test('each has a name of its own', () => {
    expect(new Set(PAGE_STATES.map(({ name }) => name)).size).toBe(PAGE_STATES.length);
  });

  test.each(LOOKED_AT)(
    '$name, $language: reached, in its language, accessible, and nothing is cut off on a phone',
    async ({ language, state }) => {
      const context = contexts.get(language) ?? (await browser.newContext({ locale: language }));
      contexts.set(language, context);
      await context.clearCookies();
      const page = await context.newPage();
      const visit = new PageVisit(page, scene, language);
      await state.reach(visit);
      await visit.settled();
      expect(await page.locator('html').getAttribute('lang')).toBe(language);
      // What axe looks at is alike in both languages: German is looked at by `npm run pages`.
      const isExamined = language === 'en' || FOLDER !== undefined;
      if (isExamined) expect(await examiner.findings(page)).toEqual([]);
      const text = await page.evaluate('document.body.innerText');
      // A state that was not reached looks like the one before it.
      expect(seen).not.toContain(text);
      seen.push(text);
      await sheet?.photograph(page, state, language);
      for (const width of WIDTHS) {
        await page.setViewportSize({ width, height: 700 });
        expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
      }
      await page.close();
    },
  );
});
