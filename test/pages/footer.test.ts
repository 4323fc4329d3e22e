import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { programVersion } from '../../src/system/version.ts';
import { startApp, type TestApp } from '../support/app.ts';

let plain: TestApp;
let full: TestApp;

beforeAll(async () => {
  [plain, full] = await Promise.all([
    startApp({ config: 'brand: { name: Example }' }),
    startApp({
      config: `brand: { name: "<b>Ex", help_url: 'https://help.example/?"<b>&c', privacy_url: "https://example.org/privacy", show_version: true }`,
    }),
  ]);
});
afterAll(() => Promise.all([plain.stop(), full.stop()]));

async function pageOf(app: TestApp, path: string, language = 'en'): Promise<string> {
  const { text } = await supertest(app.url).get(path).set('Accept-Language', language);
  return text;
}

/** The links of the foot of a page: where they lead, and what they say. */
function linksOf(text: string): Record<string, string> {
  const [foot = ''] = /<footer>[\s\S]*<\/footer>/.exec(text) ?? [];
  const links = [...foot.matchAll(/<a href="([^"]*)"[^>]*>(.*?)<\/a>/g)];
  return Object.fromEntries(
    links.map(([, href = '', words = '']) => [words.replace(/<span.*/, ''), href.replaceAll('&amp;', '&')]),
  );
}

describe('the foot of a page', () => {
  test('leads to help, the account, the operator and other languages', async () => {
    const text = await pageOf(plain, '/_2fa/account?action=x');
    expect(linksOf(text)).toEqual({
      Help: '/_2fa/help',
      'Account security': '/_2fa/account',
      'Contact the administrators': '/_2fa/help#lost-all',
      Deutsch: '/_2fa/account?action=x&lang=de',
    });
    expect(text).toContain('<span>matrix-2fa-proxy</span>');
  });

  test('leads to what the operator names, and says the version if they want it', async () => {
    const text = await pageOf(full, '/_2fa/account?lang=de', 'en');
    expect(linksOf(text)).toEqual({
      Hilfe: '/_2fa/help',
      Kontosicherheit: '/_2fa/account',
      'Betreiber kontaktieren': 'https://help.example/?%22%3Cb%3E&c',
      Datenschutz: 'https://example.org/privacy',
      English: '/_2fa/account?lang=en',
    });
    expect(text).toContain(`<span>matrix-2fa-proxy ${programVersion()}</span>`);
    for (const [link] of text.matchAll(/<a href="https[^>]*>/g)) {
      expect(link).toContain('target="_blank" rel="noopener"');
    }
  });

  test('keeps what a page needs to be asked for again, and no token', async () => {
    const target = encodeURIComponent('https://app.example.org/?x="><b>');
    const text = await pageOf(plain, `/_2fa/login?redirectUrl=${target}&access_token=syt_secret`);
    expect(linksOf(text).Deutsch).toBe(
      '/_2fa/login?redirectUrl=https%3A%2F%2Fapp.example.org%2F%3Fx%3D%22%3E%3Cb%3E&lang=de',
    );
    expect(text).not.toContain('syt_secret');
  });
});

describe('the head of a page', () => {
  test('has the first letter of the name, or the picture', async () => {
    expect(await pageOf(plain, '/_2fa/help')).toContain('<span class="mark" aria-hidden="true">E</span>');
    expect(await pageOf(full, '/_2fa/help')).toContain(
      '<span class="mark" aria-hidden="true">&lt;</span>\n<strong>&lt;b&gt;Ex</strong>',
    );
  });
});

describe('addresses that people type', () => {
  test.each(['/_2fa', '/_2fa/', '/_2fa/account/'])('%s leads to the account page', async (path) => {
    const { headers } = await supertest(plain.url).get(`${path}?action=x&access_token=y`).expect(308);
    expect(headers.location).toBe('/_2fa/account?action=x');
  });

  test.each(['/_2fa/nothing', '/_2fa/a/b/c', '/_2fa/help/', '/_2fa/%2e%2e/x', '/_2fa/account/x'])(
    '%s is told not to be there: people by a page, programs by JSON',
    async (path) => {
      const page = await supertest(plain.url).get(path).set('Accept', 'text/html,*/*;q=0.8').expect(404);
      expect(page.headers['content-type']).toBe('text/html; charset=utf-8');
      expect(page.text).toContain('<title>Error: Page not found · Example</title>');
      expect(page.text).toContain('href="/_2fa/account"');
      const { body } = await supertest(plain.url).get(path).set('Accept', 'application/json').expect(404);
      expect(body.errcode).toBe('M_UNRECOGNIZED');
    },
  );

  test('what is not ours is refused as before', async () => {
    const { body } = await supertest(plain.url).get('/nothing').set('Accept', 'text/html').expect(404);
    expect(body.errcode).toBe('M_UNRECOGNIZED');
    await supertest(plain.url)
      .post('/_2fa/nothing')
      .set('Accept', 'text/html')
      .expect(404, /M_UNRECOGNIZED/);
  });
});
