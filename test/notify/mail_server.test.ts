import { afterEach, expect, test } from '@jest/globals';
import type { SMTPServerOptions } from 'smtp-server';
import type { MailConfig } from '../../src/config/config.ts';
import { failureOf, inTime } from '../../src/notify/channel.ts';
import { MailServer } from '../../src/notify/mail_server.ts';
import { type MailReceiver, startLiar, startMailReceiver } from './receivers.ts';

const MESSAGE = { subject: '[example.org] Ein Gerät wurde hinzugefügt', text: 'Grüße\n.\nEnde\n' };

let receiver: MailReceiver | undefined;
afterEach(async () => {
  await receiver?.stop();
  receiver = undefined;
});

/** Sends one mail to a real server; the failure, if there is one. */
async function mailTo(server: SMTPServerOptions, given: Partial<MailConfig> = {}) {
  receiver = await startMailReceiver(server);
  const { port } = receiver;
  const config = {
    from: '2fa@example.org',
    host: '127.0.0.1',
    port,
    security: 'none',
    credentials: undefined,
  };
  const mails = new MailServer({
    config: () => ({ ...config, ...given }) as MailConfig,
    host: 'matrix.example.org',
    clock: { now: () => Date.UTC(2026, 10, 28) },
  });
  const sending = inTime(5000, (signal) => mails.mail('bob@example.org', MESSAGE, 'n1', signal));
  return sending.then(() => undefined, failureOf);
}

const refusing = (responseCode: number, words = 'no such user bob') =>
  Object.assign(new Error(words), { responseCode });
const LOGIN: SMTPServerOptions = {
  authOptional: false,
  allowInsecureAuth: true,
  onAuth: ({ username, password }, _session, done) =>
    username === 'me' && password === 'right' ? done(null, { user: 'me' }) : done(new Error('wrong')),
};

test('the text arrives as it is, with a date and an id of its own', async () => {
  expect(await mailTo({})).toBeUndefined();
  const [mail] = receiver?.mails ?? [];
  expect(mail?.text.replaceAll('\r\n', '\n')).toBe(MESSAGE.text);
  expect(mail?.header('Message-ID')).toBe('<n1@matrix.example.org>');
  expect(mail?.header('Date')).toBe('Sat, 28 Nov 2026 00:00:00 +0000');
  expect(mail?.header('To')).toBe('bob@example.org');
});

test.each([
  ['a recipient refused for good', 550, true],
  ['a recipient refused for now', 451, false],
])('%s', async (_what, code, isFinal) => {
  const failure = await mailTo({ onRcptTo: (_address, _session, done) => done(refusing(code)) });
  expect(failure).toMatchObject({ isFinal, reason: `the mail server answered ${code}` });
});

test.each<[string, SMTPServerOptions]>([
  ['the greeting', { onConnect: (_session, done) => done(refusing(554, 'no service')) }],
  ['EHLO and HELO', { disabledCommands: ['EHLO', 'HELO'] }],
  ['the sender', { onMailFrom: (_address, _session, done) => done(refusing(553, 'not your address')) }],
  [
    'one without a login',
    { onRcptTo: (_address, _session, done) => done(refusing(530, '5.7.0 log in first')) },
  ],
  [
    'what it would hand on',
    { onRcptTo: (_address, _session, done) => done(refusing(554, '5.7.1 no relaying')) },
  ],
  ['a command', { onRcptTo: (_address, _session, done) => done(refusing(502, 'not implemented')) }],
])(
  'attack 363: a server that refuses %s says nothing of the mail: it is tried again',
  async (_what, server) => {
    expect(await mailTo(server)).toMatchObject({
      ...{ isFinal: false, reason: expect.stringMatching(/^the mail server answered 5\d\d$/) },
    });
  },
);

test('attack 363: nor does one that ends within its answer', async () => {
  const liar = await startLiar((socket) => socket.end('220 hello\r\n550 no'));
  const failure = await mailTo({}, { port: liar.port });
  await liar.stop();
  expect(failure).toMatchObject({ isFinal: false });
});

test('a recipient that is not there is refused for good, whatever code stands behind', async () => {
  const failure = await mailTo({
    onRcptTo: (_address, _session, done) => done(refusing(550, '5.1.1 no such user')),
  });
  expect(failure).toMatchObject({ isFinal: true });
});

test('a text that is not taken is not sent', async () => {
  const failure = await mailTo({
    onData: (stream, _session, done) => {
      stream.resume();
      stream.on('end', () => done(refusing(552)));
    },
  });
  expect(failure).toMatchObject({ isFinal: true });
});

test('a login is used; one that is refused can be put right, so it is not final', async () => {
  expect(await mailTo(LOGIN, { credentials: { user: 'me', password: 'right' } })).toBeUndefined();
  await receiver?.stop();
  const failure = await mailTo(LOGIN, { credentials: { user: 'me', password: 'wrong' } });
  expect(failure).toMatchObject({ isFinal: false });
  expect(failure?.reason).not.toContain('wrong');
  expect(receiver?.mails).toEqual([]);
});

test.each([
  ['starttls where the server does not offer it', {}, 'starttls'],
  ['starttls with a certificate that no authority has signed', { disabledCommands: [] }, 'starttls'],
  ['tls with such a certificate', { secure: true }, 'tls'],
  ['tls where the server speaks none', {}, 'tls'],
] as const)(
  'attack 192: nothing is sent in the clear, nor to another server: %s',
  async (_what, server, security) => {
    let logins = 0;
    const failure = await mailTo(
      {
        ...LOGIN,
        ...server,
        disabledCommands: 'disabledCommands' in server ? [] : ['STARTTLS'],
        onAuth: (_auth, _session, done) => {
          logins += 1;
          done(null, { user: 'me' });
        },
      },
      { security, credentials: { user: 'me', password: 'right' } },
    );
    expect(failure).toMatchObject({ isFinal: false });
    expect(logins).toBe(0);
    expect(receiver?.mails).toEqual([]);
  },
);
