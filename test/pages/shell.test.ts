import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import supertest from 'supertest';
import { brandOf } from '../../src/pages/shell/brand.ts';
import { html, jsonBlock } from '../../src/pages/shell/html.ts';
import { pickLanguage } from '../../src/pages/texts/language.ts';
import { fill } from '../../src/pages/texts/texts.ts';
import { startApp, type TestApp } from '../support/app.ts';

const PAGE = '/_2fa/account';

describe('markup', () => {
  test('attack 67: a value becomes no markup, neither between tags nor in an attribute', () => {
    const value = `"><script>alert('1')</script>&amp;`;
    const escaped = '&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;amp;';
    expect(html`<p title="${value}">${value}</p>`.toString()).toBe(`<p title="${escaped}">${escaped}</p>`);
  });

  test('attack 67: data for a script cannot end its element', () => {
    const block = jsonBlock('data', { text: '</script><script>alert(1)</script><!--' }).toString();
    expect(block.match(/<\/?script|<!--/g)).toEqual(['<script', '</script']);
    expect(JSON.parse(block.replace(/^<[^>]*>|<\/script>$/g, ''))).toEqual({
      text: '</script><script>alert(1)</script><!--',
    });
  });

  test('may hold markup, lists and nothing', () => {
    expect(
      html`<ul>${[1, 2].map((item) => html`<li>${item}</li>`)}${undefined}${false}</ul>`.toString(),
    ).toBe('<ul><li>1</li><li>2</li></ul>');
  });

  test('a look-alike of markup is text', () => {
    const forged = { toString: () => '<b>' } as unknown as string;
    expect(() => html`${forged}`.toString()).toThrow();
  });
});

describe('languages', () => {
  test.each([
    [undefined, 'en'],
    ['', 'en'],
    ['de', 'de'],
    ['de-AT,de;q=0.9,en;q=0.8', 'de'],
    ['fr-FR,fr;q=0.9,DE;q=0.5,en;q=0.4', 'de'],
    ['en-GB,de;q=0.9', 'en'],
    ['de;q=0.1, en;q=0.2', 'en'],
    ['de;q=0, fr', 'en'],
    ['de;q=x', 'en'],
    ['*', 'en'],
  ])('for %s it is %s', (header, language) => {
    expect(pickLanguage(header, { languages: ['en', 'de'], otherwise: 'en' })).toBe(language);
  });

  test('places are filled, unknown ones stay', () => {
    expect(fill('{a} and {b}', { a: '$&' })).toBe('$& and {b}');
  });
});

describe('the brand', () => {
  test.each([
    ['#2463c2', '#ffffff'],
    ['#000000', '#ffffff'],
    ['#ffffff', '#16181d'],
    ['#ffd400', '#16181d'],
  ])('on %s one writes in %s', (colour, onColour) => {
    expect(
      brandOf({ name: 'x', logo: undefined, colour, privacyUrl: undefined, showVersion: false }).onColour,
    ).toBe(onColour);
  });
});

describe('a page', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp({
      config: `brand: { name: '</title><script>"', colour: "#FFD400", help_url: 'https://help.example/?"<b>&c' }`,
    });
  });
  afterAll(() => app.stop());

  test('attack 65: carries its headers', async () => {
    const { headers } = await supertest(app.url).get(PAGE).expect(200);
    expect(headers).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'x-frame-options': 'DENY',
      'x-content-type-options': 'nosniff',
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-store',
    });
    const policy = headers['content-security-policy'] ?? '';
    expect(policy.replaceAll(/nonce-[\w-]+/g, 'nonce-N').split('; ')).toEqual([
      "default-src 'none'",
      "script-src 'nonce-N'",
      "style-src 'nonce-N'",
      "img-src 'self' data:",
      "connect-src 'self'",
      "base-uri 'none'",
      "frame-ancestors 'none'",
    ]);
    expect(headers).not.toHaveProperty('cross-origin-opener-policy');
    expect(headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('attack 65: every script and style has the nonce of this one answer', async () => {
    const [first, second] = await Promise.all([1, 2].map(() => supertest(app.url).get(PAGE)));
    const nonces = [first, second].map((answer) => /'nonce-([^']+)'/.exec(policyOf(answer))?.[1]);
    expect(nonces[0]).toMatch(/^[\w-]{22}$/);
    expect(nonces[0]).not.toBe(nonces[1]);
    const loaded = (first?.text.match(/<(script|style|link rel="stylesheet")[^>]*>/g) ?? []).filter(
      (tag) => !tag.includes('application/json'),
    );
    expect(loaded).toHaveLength(3);
    for (const tag of loaded) expect(tag).toContain(`nonce="${nonces[0]}"`);
  });

  test('attack 67: shows the name and the colour of the operator, escaped', async () => {
    const { text } = await supertest(app.url).get(PAGE);
    expect(text).toContain('&lt;/title&gt;&lt;script&gt;&quot;</title>');
    expect(text).not.toContain('</title><script>"');
    expect(text).toContain(':root{--brand:#ffd400;--on-brand:#16181d}');
  });

  test('speaks the language of the browser', async () => {
    const { text, headers } = await supertest(app.url).get(PAGE).set('Accept-Language', 'de-CH');
    expect(text).toContain('<html lang="de">');
    expect(headers['content-language']).toBe('de');
    expect(text).toContain('<h1>Kontosicherheit</h1>');
  });

  test('speaks the language that was chosen, then that of the client, then that of the browser', async () => {
    const languageOf = async (query: string, headers: Record<string, string>) => {
      const answer = await supertest(app.url).get(`${PAGE}${query}`).set(headers).expect(200);
      const cookies = [answer.headers['set-cookie'] ?? []].flat();
      return [answer.headers['content-language'], cookies.find((cookie) => cookie.startsWith('m2fa_lang'))];
    };
    const kept = 'm2fa_lang=de; HttpOnly; SameSite=Lax; Path=/; Max-Age=31536000; Secure';
    const english = { 'Accept-Language': 'en' };
    const chosen = { Cookie: 'x=y; m2fa_lang=de', ...english };
    expect(await languageOf('?lang=de', english)).toEqual(['de', kept]);
    expect(await languageOf('?lang=en', chosen)).toEqual(['en', kept.replace('=de', '=en')]);
    expect(await languageOf('', chosen)).toEqual(['de', undefined]);
    expect(await languageOf('?ui_locales=fr%20de-CH%20en', english)).toEqual(['de', undefined]);
    // What is not there is not chosen, whatever it is.
    for (const other of ['fr', '', 'x%0d%0aSet-Cookie:%20a=b', '__proto__', '%22%3E']) {
      expect(await languageOf(`?lang=${other}`, english)).toEqual(['en', undefined]);
    }
  });

  test('loads everything from here, and all of it is there', async () => {
    const { text } = await supertest(app.url).get(PAGE);
    const addresses = [...text.matchAll(/(?:src|href)="([^"]+)"/g)]
      .map(([, address = '']) => address)
      .filter((address) => address.startsWith('/_2fa/assets/') || !/^(?:#|https:|\/_2fa\/)/.test(address));
    expect(addresses.length).toBeGreaterThan(2);
    for (const address of addresses) {
      expect(address).toMatch(/^\/_2fa\/assets\//);
      const { headers } = await supertest(app.url).get(address).expect(200);
      expect(headers['cache-control']).toBe('public, max-age=31536000, immutable');
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
  });

  test('asks for nothing but the ways to sign in', async () => {
    app.stub.requests.length = 0;
    await supertest(app.url).get(PAGE).expect(200);
    await supertest(app.url).put(PAGE).expect(405);
    expect(app.stub.requests.map(({ method, target }) => [method, target])).toEqual([
      ['GET', '/_matrix/client/v3/login'],
    ]);
  });
});

describe('the files of the pages', () => {
  let app: TestApp;
  beforeAll(async () => {
    app = await startApp();
  });
  afterAll(() => app.stop());

  test('of another version are given, but not to be kept', async () => {
    const { headers } = await supertest(app.url).get('/_2fa/assets/other/page.css').expect(200);
    expect(headers['cache-control']).toBe('no-store');
    expect(headers['content-type']).toBe('text/css; charset=utf-8');
  });

  test.each(['tsconfig.json', '..%2Fshell%2Fpage.ts', '%2e%2e%2fpackage.json', 'x', 'logo', '__proto__'])(
    '%s is none of them',
    async (name) => {
      await supertest(app.url).get(`/_2fa/assets/x/${name}`).expect(404);
    },
  );
});

function policyOf(answer: { headers: Record<string, string> } | undefined): string {
  return answer?.headers['content-security-policy'] ?? '';
}
