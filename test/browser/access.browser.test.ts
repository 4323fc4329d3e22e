import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, jest, test } from '@jest/globals';
import type { Browser } from 'playwright-core';
import { registerApp, requestOf } from '../oauth/asking.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { describeInBrowser, startBrowser } from '../support/browser.ts';

jest.setTimeout(60_000);

describeInBrowser('an app asks for access', () => {
  let browser: Browser;
  let app: TestApp;
  let listener: Server;
  let back: string;
  const came: string[] = [];

  beforeAll(async () => {
    browser = await startBrowser();
    app = await startApp({
      users: [{ name: 'bob', password: 'bob password' }],
      config: 'oauth: { enabled: true }',
    });
    listener = createServer((request, response) => {
      came.push(`${request.url} ${request.headers.referer ?? 'without a referrer'}`);
      response.end('<!doctype html><title>The app</title>');
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    back = `http://127.0.0.1:${(listener.address() as AddressInfo).port}/back`;
  });

  afterAll(async () => {
    await browser.close();
    listener.closeAllConnections();
    listener.close();
    await app.stop();
  });

  test.each([false, true])('from request to code, with scripts: %s', async (javaScriptEnabled) => {
    const bob = await app.enrol('bob');
    const client_id = await registerApp(app, {
      application_type: 'native',
      redirect_uris: ['http://127.0.0.1/back'],
    });
    const page = await (await browser.newContext({ javaScriptEnabled })).newPage();
    await page.goto(app.url + requestOf({ client_id, redirect_uri: back }));
    await page.getByLabel('Username').fill('bob');
    await page.getByLabel('Password', { exact: true }).fill('bob password');
    await page.getByRole('button', { name: 'Continue', exact: true }).click();
    app.clock.advance(30_000);
    await page.getByLabel('Authentication code').fill(app.code(bob));
    await page.getByRole('button', { name: 'Verify' }).click();
    await page.getByRole('heading', { name: 'Give an app access to your account?' }).waitFor();
    // An Enter too many presses nothing.
    await page.keyboard.press('Enter');
    const allow = page.getByRole('button', { name: 'Allow', exact: true });
    await allow.click({ delay: 600 });
    // Buttons are deaf for half a second where there are scripts.
    await page.waitForURL(/\/back\?code=/, { timeout: 2000 }).catch(() => allow.click());
    await page.waitForURL(/\/back\?code=[\w-]{43}&state=the%20state&iss=/);
    expect(came.at(-1)).toMatch(/ without a referrer$/);
    await page.context().close();
  });
});
