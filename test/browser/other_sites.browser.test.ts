import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { startApp, type TestApp } from '../support/app.ts';
import { describeInBrowser, onComplaint, openPage, startBrowser } from '../support/browser.ts';
import { ClientPage } from '../support/client_page.ts';

describeInBrowser('a site of others before our pages', () => {
  let browser: Browser;
  let app: TestApp;
  let client: ClientPage;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    browser = await startBrowser();
    app = await startApp();
    client = await ClientPage.serve(app.url);
  });
  afterAll(async () => {
    await browser.close();
    await client.stop();
    await app.stop();
  });
  beforeEach(async () => {
    complaints = [];
    page = await openPage(browser);
    onComplaint(page, (complaint) => complaints.push(complaint));
  });
  afterEach(async () => {
    await page.context().close();
    expect(complaints).toEqual([]);
  });

  test('attack 65: no site can frame the pages', async () => {
    await page.goto(client.url);
    const target = `${app.url}/_2fa/login?redirectUrl=${encodeURIComponent(client.url)}`;
    const blocked = page.waitForEvent('console', (message) => message.text().includes('frame-ancestors'));
    await page.evaluate(
      `document.body.append(Object.assign(document.createElement('iframe'), { src: '${target}' }))`,
    );
    await blocked;
    expect(await page.frames().at(-1)?.content()).not.toContain('Username');
    complaints = complaints.filter((text) => !text.includes('frame-ancestors'));
  });

  test('attack 88: a form on another site gets a page with 403, with and without its own cookie', async () => {
    for (const visit of [false, true]) {
      if (visit) await page.goto(`${app.url}/_2fa/login?redirectUrl=${encodeURIComponent(client.url)}`);
      await page.goto(client.url);
      const answered = page.waitForResponse((response) => response.url().endsWith('/_2fa/login'));
      await page.evaluate(`{
        const form = Object.assign(document.createElement('form'), { method: 'post', action: '${app.url}/_2fa/login' });
        form.innerHTML = '<input name="step" value="credentials"><input name="user" value="bob">';
        document.body.append(form);
        form.submit();
      }`);
      expect((await answered).status()).toBe(403);
      await page.getByRole('heading', { name: 'This form could not be accepted' }).waitFor();
    }
    expect(app.stub.requests).toEqual([]);
  });
});

describe('the client page of these tests', () => {
  test('stands on another site than the homeserver', async () => {
    const served = await ClientPage.serve('http://127.0.0.1:1');
    expect(new URL(served.url).hostname).toBe('localhost');
    await served.stop();
  });
});
