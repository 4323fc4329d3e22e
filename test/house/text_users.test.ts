import { expect, test } from '@jest/globals';
import { pages as english } from '../../src/pages/texts/en/pages.ts';
import { writtenFiles } from './written_files.ts';

const TEXTS = /^src\/pages\/texts\//;
/**
 * Keys that are put together: what stands in the code for it, a place as `{name}`, and which ones it makes. Here each is named, as a pattern for
 * all that begins alike would find a user for any key.
 */
const MADE: readonly (readonly [string, RegExp])[] = [
  [
    'error.{cause}.title',
    /^error\.(?:expired|unknown|used|tooMany|changed|otherAccount|link|form|unreadable|down)\.title$/,
  ],
  ['error.{cause}.text', /^error\.(?:expired|unknown|used|changed|otherAccount|link|form|unreadable)\.text$/],
  ['error.{way}', /^error\.(?:signInAgain|backToApp|reload)$/],
  ['signIn.{is}', /^signIn\.(?:wrong|missingUser|missingPassword|limited|limitedByServer)$/],
  ['status.{standing}', /^status\.(?:on|weak|off|unknown)$/],
  ['status.{standing}Text', /^status\.(?:on|weak|off)Text$/],
  [
    'help.{section}.title',
    /^help\.(?:what|app|passkey|recovery-code|password-field|refused|lost|lost-all)\.title$/,
  ],
  ['help.{section}.text', /^help\.(?:what|app|passkey|recovery-code|password-field|refused|lost)\.text$/],
  ['vote.{vote}', /^vote\.(?:yes|no)$/],
  ['vote.{vote}Text', /^vote\.(?:yes|no)Text$/],
  // What happened to an authenticator, by the name that the audit has for it.
  ['eventText(event', /^(?:totp|webauthn)\.(?:enabled|disabled|added|removed|renamed)$/],
];

const code = writtenFiles()
  .filter(({ file }) => file.startsWith('src/') && /\.[jt]s$/.test(file) && !TEXTS.test(file))
  .map(({ text }) => text)
  .join('\n');

/** As it stands in the code. */
function written(made: string): string {
  return made.includes('{') ? `\`${made.replaceAll('{', '${')}\`` : made;
}

function hasUser(key: string): boolean {
  return (
    code.includes(`'${key}'`) || MADE.some(([made, keys]) => code.includes(written(made)) && keys.test(key))
  );
}

test('every text of the pages has a user', () => {
  expect(code.length).toBeGreaterThan(100_000);
  expect(Object.keys(english).filter((key) => !hasUser(key))).toEqual([]);
});

test('a text without a user is found, also one that begins as others do', () => {
  expect(['error.expired.title', 'signIn.title', 'totp.enabled'].filter(hasUser)).toHaveLength(3);
  expect(['error.nothing.title', 'signIn.nothing', 'status.offTextOther'].filter(hasUser)).toEqual([]);
});

test('every way to put a key together is there', () => {
  expect(MADE.filter(([made]) => !code.includes(written(made))).map(([made]) => made)).toEqual([]);
});
