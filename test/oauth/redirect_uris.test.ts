import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';
import {
  isOnHost,
  isRegistered,
  mayRegister,
  redirectKind,
  shownTarget,
  webHost,
} from '../../src/oauth/redirect_uris.ts';

const HOST = 'element.io';

describe('what a web app may register', () => {
  test.each([
    'https://element.io',
    'https://element.io/',
    'https://app.element.io/callback?x=1&y=%20',
    'https://a.b.element.io:8443/',
    'https://element.io?code=1',
  ])('%s', (uri) => {
    expect(mayRegister(uri, 'web', HOST)).toBe(true);
    expect(mayRegister(uri, 'native', HOST)).toBe(true);
  });
});

describe('what a native app may register besides', () => {
  test.each([
    'io.element:/callback',
    'io.element.android:/',
    'io.element.x-y.app:/a/b?c=d',
    'http://localhost',
    'http://localhost/',
    'http://127.0.0.1/callback?x=y',
    'http://[::1]:8080/',
  ])('%s', (uri) => {
    expect(mayRegister(uri, 'web', HOST)).toBe(false);
    expect(mayRegister(uri, 'native', HOST)).toBe(true);
  });
});

const REFUSED = [
  'http://element.io/',
  'https://evil.example/',
  'https://evilelement.io/',
  'https://element.io.evil.example/',
  'https://element.io@evil.example/',
  'https://user:pw@element.io/',
  'https://evil.example\\@element.io/',
  'https://evil.example/@element.io',
  'https://element.io/#fragment',
  'https://element.io/#',
  'https://element.io./',
  'https://ELEMENT.IO/',
  'https://elemen%74.io/',
  'https://evil.example%2eelement.io/',
  'https://evil.example%2f.element.io/',
  'https://élement.io/',
  'https://element.io/ä',
  'https://element.io/ x',
  'https://element.io/\nx',
  'https://element.io/\u0000',
  'https://element.io:port/',
  'https://element.io:443443/',
  'https:/element.io/',
  'https:///element.io/',
  'HTTPS://element.io/',
  ' https://element.io/',
  '//element.io/',
  '/callback',
  'javascript:alert(1)',
  'javascript:/alert(1)',
  'data:/text/html,x',
  'io.element://callback',
  'io.element.android:///callback',
  'io.element:callback',
  'io.elementary:/',
  'io:/',
  'element.io:/',
  'IO.element:/',
  'io.element:/callback#fragment',
  'io.element:/\\evil',
  'http://localhost.evil.example/',
  'http://localhost@evil.example/',
  'http://127.0.0.1.evil.example/',
  'http://127.0.0.2/',
  'http://127.1/',
  'http://[::2]/',
  'http://[::ffff:127.0.0.1]/',
  'https://localhost/',
  'https://127.0.0.1/',
  'http://localhost/#x',
  '',
  `https://element.io/${'x'.repeat(1024)}`,
];

describe('attack 292: no app may register', () => {
  test.each(REFUSED)('%j', (uri) => {
    expect(mayRegister(uri, 'web', HOST)).toBe(false);
    expect(mayRegister(uri, 'native', HOST)).toBe(false);
  });
});

describe('attack 293: what differs from a registered address', () => {
  const registered = ['https://app.element.io/cb?x=1', 'io.element.app:/cb', 'http://127.0.0.1/cb'];

  test.each([
    'https://app.element.io/cb?x=1',
    'io.element.app:/cb',
    'http://127.0.0.1/cb',
    'http://127.0.0.1:1/cb',
    'http://127.0.0.1:65535/cb',
  ])('not: %s', (uri) => {
    expect(isRegistered(uri, registered)).toBe(true);
  });

  test.each([
    'https://evil.element.io/cb?x=1',
    'https://app.element.io/cb',
    'https://app.element.io/cb?x=1&y=2',
    'https://app.element.io/cb/?x=1',
    'https://app.element.io/CB?x=1',
    'https://APP.element.io/cb?x=1',
    'https://app.element.io:443/cb?x=1',
    'https://app.element.io/./cb?x=1',
    'https://app.element.io/%63b?x=1',
    'https://app.element.io/%2e/cb?x=1',
    'https://a@app.element.io/cb?x=1',
    'https://app.element.io/cb?x=1#y',
    'io.element.app:/cb2',
    'io.element.app:/cb/..',
    'http://127.0.0.1/cb2',
    'http://127.0.0.1:80@evil.example/cb',
    'http://127.0.0.1:80.evil.example/cb',
    'http://localhost/cb',
    'http://[::1]/cb',
    'https://127.0.0.1/cb',
    'http://127.0.0.1/cb#',
    '',
  ])('%j is refused', (uri) => {
    expect(isRegistered(uri, registered)).toBe(false);
  });

  test('by one sign anywhere is refused, unless that is in a port', () => {
    const [web = '', scheme = ''] = registered;
    const sign = fc.integer({ min: 0x20, max: 0x17f }).map((code) => String.fromCharCode(code));
    const where = fc.nat({ max: 30 });
    fc.assert(
      fc.property(fc.constantFrom(web, scheme), where, sign, (uri, at, added) => {
        expect(isRegistered(uri.slice(0, at) + added + uri.slice(at), registered)).toBe(false);
      }),
    );
  });
});

test('whatever may be registered means the same host to a browser', () => {
  const part = fc.constantFrom(
    'element.io',
    'evil.example',
    '.',
    '@',
    ':',
    '/',
    '\\',
    '#',
    '?',
    '%2e',
    '8443',
    'a',
  );
  const rest = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(''));
  const uris = fc.tuple(fc.constantFrom('https://', 'http://localhost', 'io.element:/'), rest);
  fc.assert(
    fc.property(uris, ([start, tail]) => {
      const uri = start + tail;
      if (!mayRegister(uri, 'native', HOST)) return;
      const { protocol, hostname, username, hash } = new URL(uri);
      expect([username, hash]).toEqual(['', '']);
      if (protocol === 'https:') expect(`.${hostname}`).toMatch(/\.element\.io$/);
      else if (protocol === 'http:') expect(hostname).toBe('localhost');
      else expect([protocol, hostname]).toEqual(['io.element:', '']);
    }),
    { numRuns: 3000 },
  );
});

test('hosts are dotted names', () => {
  expect(webHost('https://element.io/x')).toBe('element.io');
  expect(webHost('https://xn--lement-9ua.io')).toBe('xn--lement-9ua.io');
  for (const uri of [
    'https://localhost/',
    'https://127.0.0.1/',
    'https://1.2/',
    'https://a..b/',
    'https://-a.b/',
  ]) {
    expect(webHost(uri)).toBeUndefined();
  }
  expect(isOnHost('https://cdn.element.io/logo.png', HOST)).toBe(true);
  expect(isOnHost('https://notelement.io/logo.png', HOST)).toBe(false);
});

test('people are shown where an address leads', () => {
  expect(shownTarget('https://app.element.io:8443/cb?x')).toBe('app.element.io:8443');
  expect(shownTarget('http://127.0.0.1:1/cb')).toBe('127.0.0.1:1');
  expect(shownTarget('io.element.app:/cb')).toBe('io.element.app');
  expect(redirectKind('mailto:someone')).toBeUndefined();
});
