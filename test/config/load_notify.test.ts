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
  folder.write('umlaut', 'schlüssel');
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
  const off = { mail: undefined, matrix: undefined, webhook: undefined, sms: undefined };
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

test('the gateway for text messages', () => {
  expect(notifyOf('{ sms: { url: "https://sms.example.org/" } }').sms).toEqual({
    ...{ url: 'https://sms.example.org/', method: 'POST', headers: {}, format: 'json' },
    ...{ body: '{"to": "{number}", "text": "{text}"}', secret: undefined, prefixes: undefined },
  });
  const { sms } = notifyOf(`
  sms:
    url: http://127.0.0.1:9/{digits}?text={text}
    method: GET
    headers: ["X-Key:  {secret} ", "X-Id: {id}"]
    secret_file: password
    prefixes: ["+49"]`);
  expect(sms).toMatchObject({
    ...{ url: 'http://127.0.0.1:9/{digits}?text={text}', method: 'GET', prefixes: ['+49'] },
    ...{ headers: { 'x-key': '{secret}', 'x-id': '{id}' }, secret: 'pass word' },
  });
  const form = '{ url: "https://sms.example.org", format: form, body: "To={number}&Body={text}&From=%2B1" }';
  expect(notifyOf(`{ sms: ${form} }`).sms).toMatchObject({ format: 'form' });
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
    ...[
      ['{ format: form }', 'notify.sms: needs url'],
      ['{ url: "http://sms.example.org" }', 'notify.sms.url: must begin with https://'],
      ['{ url: "https://me@sms.example.org" }', 'notify.sms.url: must not hold a user'],
      ['{ url: "https://{number}.example.org" }', 'notify.sms.url: must not hold a placeholder in its host'],
      ['{ url: "https://e.org/#{text}" }', 'notify.sms.url: must not hold a #'],
      [
        '{ url: "https://e.org/{nummer}" }',
        'notify.sms.url: cannot hold {nummer}: there are {number}, {digits}',
      ],
      ['{ url: "https://e.org/{text}", method: GET }', 'notify.sms.url: must hold {number} or {digits}'],
      ['{ url: "https://e.org", method: get }', 'notify.sms.method: must be one of POST, PUT, GET'],
      ['{ url: "https://e.org", body: "{number}" }', 'notify.sms.body: must be JSON'],
      [`{ url: "https://e.org", body: '["{number}"]' }`, 'notify.sms.body: must hold {text}'],
      [`{ url: "https://e.org", body: '{"{number}": "{text}"}' }`, 'must hold {number} or {digits}'],
      [`{ url: "https://e.org", body: '["{number}{text}{name}"]' }`, 'notify.sms.body: cannot hold {name}'],
      ['{ url: "https://e.org", format: form }', 'notify.sms.body: must be a form such as To={number}'],
      ['{ url: "https://e.org", format: form, body: "a={number} &b={text}" }', 'must be a form such as'],
      ['{ url: "https://e.org", headers: [key] }', 'notify.sms.headers.0: must be a header such as'],
      ['{ url: "https://e.org", headers: ["A: b", "C: d\\r\\nE: f"] }', 'notify.sms.headers.1: must be'],
      ['{ url: "https://e.org", headers: ["A: b", "a: c"] }', 'notify.sms.headers.1: a is given twice'],
      ['{ url: "https://e.org", headers: ["Host: b"] }', 'notify.sms.headers.0: Host is set by this program'],
      ['{ url: "https://e.org", headers: ["A: {text}"] }', 'cannot hold {text}: there are {id}, {secret}'],
      ['{ url: "https://e.org", headers: ["A: {secret}"] }', 'notify.sms.secret_file: must be given'],
      ['{ url: "https://e.org", secret_file: password }', 'notify.sms.secret_file: is not used'],
      ['{ url: "https://e.org/{secret}", secret_file: two }', 'must hold one line'],
      ['{ url: "https://e.org/{secret}", secret_file: umlaut }', 'with one line of plain characters'],
      [
        '{ url: "https://e.org", prefixes: ["49"] }',
        'notify.sms.prefixes.0: must be the beginning of numbers',
      ],
    ].map(([sms, words]) => [`{ sms: ${sms} }`, words]),
  ])('%s', (text = '', words = '') => {
    const line = refusal(text);
    expect(line).toContain('config.yaml:1: notify.');
    expect(line).toContain(words);
    expect(line).not.toContain('pass word');
  });
});
