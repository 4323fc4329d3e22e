import { chmodSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { type ConfigFolder, configFolder } from './config_files.ts';

const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

let folder: ConfigFolder;
beforeEach(() => {
  folder = configFolder();
  folder.write('secret', SECRET);
  folder.write('password', 'pass word\n');
  folder.write('empty', '\n');
  folder.write('two', 'one\ntwo');
});
afterEach(() => folder.remove());

const notifyOf = (text: string) => loadConfig(folder.write('config.yaml', `notify: ${text}`), {}).notify;

function refusal(text: string): string {
  try {
    notifyOf(text);
  } catch (error) {
    return (error as Error).message.replaceAll(folder.path, '');
  }
  return 'taken';
}

test('without the section every channel is off, and a channel alone with its defaults is, too', () => {
  const off = { mail: undefined, matrix: undefined, webhook: undefined };
  expect(notifyOf('{}')).toEqual({ ...off, language: 'en', retryFirstMs: 5000, giveUpAfterMs: 172_800_000 });
  expect(notifyOf('{ mail: { host: 127.0.0.1, port: 25, security: none } }')).toMatchObject(off);
});

test('what files hold is read', () => {
  const { mail, matrix, webhook } = notifyOf(`
  mail: { from: 2fa@example.org, host: mail.example.org, port: 465, security: tls, user: me, password_file: password }
  matrix: { user_id: "@2fa:example.org", access_token_file: secret }
  webhook: { url: "http://127.0.0.1:9/hook", secret_file: secret }`);
  expect(mail?.credentials).toEqual({ user: 'me', password: 'pass word' });
  expect(matrix).toEqual({ userId: '@2fa:example.org', accessToken: SECRET });
  expect(webhook).toEqual({ url: 'http://127.0.0.1:9/hook', secret: Buffer.alloc(24, 7), events: ['*'] });
});

test('the account of our registration may write', () => {
  const file = folder.write('appservice.yaml', 'as_token: of_our_registration\n');
  chmodSync(file, 0o600);
  const text = [
    'homeserver: { url: "http://127.0.0.1:8008", appservice: { file: appservice.yaml } }',
    'notify: { matrix: { appservice: true } }',
  ];
  const { notify } = loadConfig(folder.write('own.yaml', text.join('\n')), {});
  expect(notify.matrix).toEqual({ userId: undefined, accessToken: 'of_our_registration' });
});

describe('what is refused, with its line', () => {
  test.each([
    ['{ mail: { host: mail.example.org } }', 'notify.mail: needs from'],
    ['{ mail: { from: "Us <2fa@example.org>" } }', 'notify.mail.from: must be one mail address'],
    ['{ mail: { from: 2fa@example.org, host: "a b" } }', 'notify.mail.host: must be the name'],
    ['{ mail: { from: 2fa@example.org, host: mail.example.org } }', 'notify.mail.security: none is for'],
    ['{ mail: { from: 2fa@example.org, user: me } }', 'notify.mail.user: user and password_file'],
    ['{ matrix: { appservice: true } }', 'notify.matrix.appservice: needs homeserver.appservice'],
    ['{ matrix: { appservice: true, user_id: "@b:e.org" } }', 'notify.matrix.appservice: stands alone'],
    ['{ matrix: { user_id: bot, access_token_file: secret } }', 'notify.matrix.user_id: must be a full'],
    ['{ matrix: { user_id: "@b:e.org" } }', 'notify.matrix.access_token_file: must be given'],
    ['{ matrix: { user_id: "@b:e.org", access_token_file: password } }', 'holds an access token and nothing'],
    ['{ matrix: { user_id: "@b:e.org", access_token_file: empty } }', 'must hold one line'],
    ['{ matrix: { user_id: "@b:e.org", access_token_file: two } }', 'must hold one line'],
    ['{ matrix: { user_id: "@b:e.org", access_token_file: none } }', 'cannot be read (ENOENT)'],
    ['{ webhook: { url: "http://hook.example.org", secret_file: secret } }', 'http:// is for loopback'],
    ['{ webhook: { url: "ftp://hook.example.org", secret_file: secret } }', 'must be a URL that begins'],
    ['{ webhook: { url: "https://me@hook.example.org", secret_file: secret } }', 'must not hold a user'],
    ['{ webhook: { url: "https://hook.example.org", secret_file: password } }', 'must be a file with whsec_'],
    [
      '{ webhook: { url: "https://hook.example.org", secret_file: secret, events: [a-b] } }',
      'must be an event',
    ],
  ])('%s', (text, words) => {
    const line = refusal(text);
    expect(line).toContain('config.yaml:1: notify.');
    expect(line).toContain(words);
    expect(line).not.toContain('pass word');
  });
});
