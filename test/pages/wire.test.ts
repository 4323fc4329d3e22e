import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { TOTP_STAGE } from '../../src/factors/totp/totp_words.ts';
import { classify } from '../../src/gateway/classify.ts';
import { findRoute } from '../../src/http/route_index.ts';
import * as wire from '../../src/matrix/wire.ts';
// @ts-expect-error A script of the pages, as browsers load it; its own tsconfig.json checks its types.
import * as scripts from '../../src/pages/assets/wire.js';
import { WEBAUTHN_STAGE } from '../support/passkey_user.ts';

const ASSETS = 'src/pages/assets';
const calls: Record<string, { method: string; path: string }> = scripts.CALLS;

test('the scripts name stages, and the session of the page, as the server does', () => {
  const { RECOVERY_STAGE, PASSWORD_STAGE } = wire;
  const names = { APP_STAGE: TOTP_STAGE, RECOVERY_STAGE, PASSWORD_STAGE };
  expect(scripts).toMatchObject({
    ...names,
    PASSKEY_STAGE: WEBAUTHN_STAGE,
    APP: 'totp',
    PASSKEY: 'webauthn',
  });
  expect([TOTP_STAGE, WEBAUTHN_STAGE].map(scripts.kindOf)).toEqual([scripts.APP, scripts.PASSKEY]);
  expect(findRoute(`POST ${scripts.PAGE_SESSION}`)?.id).toBe('page_session');
});

test.each(Object.entries(calls))('the request %s of the scripts has a route', (name, { method, path }) => {
  const found = classify(method, `${scripts.ROOT}${path}`);
  // Only the list of devices is the homeserver's own.
  expect(found.kind).toBe(name === 'devices' ? 'pass' : 'route');
});

test('an id in a path is written so that it stays one segment', () => {
  const { method, path } = scripts.renameAuthenticator('a/b?c');
  expect(path).toMatch(/authenticators\/a%2Fb%3Fc$/);
  expect(findRoute(`${method} ${scripts.ROOT}${path}`)?.id).toBe('rename_authenticator');
  const remove = scripts.removeAuthenticator(scripts.PASSKEY);
  expect(findRoute(`${remove.method} ${scripts.ROOT}${remove.path}`)?.id).toBe('remove_authenticators');
});

test.each(readdirSync(ASSETS).filter((name) => name.endsWith('.js')))('%s', (name) => {
  const text = readFileSync(`${ASSETS}/${name}`, 'utf8');
  // Nothing is of any type at all, and names of stages and paths stand in one place.
  expect(text.match(/@\w+ \{[^}\n]*\bany\b/g) ?? []).toEqual([]);
  if (name !== 'wire.js')
    expect(text.match(/m\.login\.[\w.]+|['"`]v3\/[^'"`]*|unstable\/\S+/g) ?? []).toEqual([]);
});
