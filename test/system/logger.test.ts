import { expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { bounded, createLogger } from '../../src/system/logger.ts';
import { redactText } from '../../src/system/redaction.ts';
import { HARMFUL, hostileText } from '../support/hostile_text.ts';

/** What a logger writes while `use` has it. */
function written(
  use: (log: ReturnType<typeof createLogger>) => void,
  options: Parameters<typeof createLogger>[0] = { level: 'debug', format: 'json' },
): string {
  const lines: string[] = [];
  use(createLogger(options, { write: (line) => void lines.push(line) }));
  return lines.join('');
}

const SECRETS = {
  code: '492039',
  recoveryCode: '7k2m-x9qd-01zt',
  password: 'correct horse battery',
  accessToken: 'syt_Ym9i_abcDEF123_456',
  foreignToken: 'kQ8s7Gh2LmN',
  session: 'm2fa_Zk3-9xQ',
  seed: 'JBSWY3DPEHPK3PXP',
  cookie: 'sid=31d4d96e407aad42',
};

test.each(['json', 'pretty'] as const)('attack 70: no secret reaches a log line (%s)', (format) => {
  const text = written(
    (log) => {
      log.info(
        {
          code: SECRETS.code,
          body: { password: SECRETS.password },
          token: SECRETS.foreignToken,
          access_token: SECRETS.accessToken,
          new_password: SECRETS.password,
          session: SECRETS.session,
          recovery_codes: [SECRETS.recoveryCode],
          seed: SECRETS.seed,
          uri: `otpauth://totp/Example:bob?secret=${SECRETS.seed}`,
        },
        'fields by name',
      );
      log.warn(
        {
          request: {
            headers: { Authorization: `Bearer ${SECRETS.foreignToken}`, 'Set-Cookie': [SECRETS.cookie] },
            auth: { identifier: {}, password: SECRETS.password, token: SECRETS.code },
            inner: { refreshToken: SECRETS.foreignToken, loginToken: SECRETS.foreignToken },
          },
        },
        'fields far inside',
      );
      log.error(
        {
          err: new Error(`refused {"password":"${SECRETS.password}","token":"${SECRETS.code}"}`, {
            cause: new Error(`GET /sync?access_token=${SECRETS.foreignToken}&since=1`),
          }),
        },
        `Bearer ${SECRETS.foreignToken} in session ${SECRETS.session} with ${SECRETS.recoveryCode}`,
      );
      log.debug(
        {
          path: `/login/sso/redirect?loginToken=${SECRETS.foreignToken}`,
          list: [`x ${SECRETS.accessToken}`],
        },
        `otpauth://totp/bob?secret=${SECRETS.seed}`,
      );
    },
    { level: 'debug', format },
  );

  expect(text).toContain('far inside');
  expect(text).toContain('since=1');
  for (const secret of Object.values(SECRETS)) expect(text).not.toContain(secret);
});

test('what is not a secret is written as it is', () => {
  const line = written((log) => log.info({ userId: '@bob:example.org', status: 401, ms: 3.5 }, 'challenged'));
  expect(JSON.parse(line)).toMatchObject({
    level: 'info',
    userId: '@bob:example.org',
    status: 401,
    ms: 3.5,
    msg: 'challenged',
  });
});

test('an error keeps its type, code, message and cause', () => {
  const refused = Object.assign(new Error('connect failed'), { code: 'ECONNREFUSED' });
  const line = written((log) =>
    log.error({ err: new TypeError('fetch failed', { cause: refused }) }, 'no answer'),
  );
  expect(JSON.parse(line).err).toMatchObject({
    type: 'TypeError',
    message: 'fetch failed',
    cause: { code: 'ECONNREFUSED', message: 'connect failed' },
  });
});

test('lines below the level are not written', () => {
  const text = written((log) => log.debug({}, 'detail'), { level: 'info', format: 'json' });
  expect(text).toBe('');
});

test('circles, bytes and very long texts are cut short', () => {
  const circle: Record<string, unknown> = { bytes: Buffer.from('secret'), text: 'a-'.repeat(100_000) };
  circle.self = circle;
  const line = written((log) => log.info(circle, 'odd'));
  expect(line).toContain('[6 bytes]');
  expect(line).toContain('[deep]');
  expect(line.length).toBeLessThan(50_000);
});

test.each(['json', 'pretty'] as const)(
  'attack 171: a hostile text is one escaped line in the log (%s)',
  (format) => {
    fc.assert(
      fc.property(hostileText, (text) => {
        const options = { level: 'debug', format } as const;
        const write = (foreign: string) =>
          written((log) => {
            const err = Object.assign(new Error(foreign, { cause: new Error(foreign) }), { code: foreign });
            err.name = foreign;
            log.warn({ device: foreign, [`x${foreign}`]: [foreign, { inner: foreign }], err }, foreign);
          }, options);
        const line = write(text);
        expect(line).not.toMatch(HARMFUL);
        expect(beginningLines(line)).toBe(1);
        expect(beginningLines(write('x'))).toBe(1);
      }),
    );
  },
);

/** Lines that do not go on with the one before, by their indent. */
function beginningLines(text: string): number {
  return text.split('\n').filter((line) => line !== '' && !line.startsWith(' ')).length;
}

test('attack 185: lines for which there is no room are dropped and counted', () => {
  const written: string[] = [];
  const stream = { writableLength: 0, write: (text: string) => void written.push(text) };
  const log = createLogger({ level: 'info', format: 'json' }, bounded(stream, 100));
  log.info({}, 'first');
  stream.writableLength = 101;
  for (const _ of [1, 2, 3]) log.info({}, 'lost');
  stream.writableLength = 100;
  log.info({}, 'last');
  expect(written.map((line) => JSON.parse(line))).toMatchObject([
    { msg: 'first' },
    { level: 'warn', event: 'log_lost', lines: 3 },
    { msg: 'last' },
  ]);
});

test('attack 70: what looks plain is looked at no less than all else', () => {
  const parts = [
    'm2fa_ab',
    'syt_x9',
    'Bearer',
    'basic',
    'SYL_',
    ' ',
    'code',
    'token',
    '192.0.2.1',
    '@bob:hs',
    '_',
    'é',
  ];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 8 }), (some) => {
      const text = some.join('');
      // A quotation mark stands in the form of a secret.
      expect(`${redactText(text)}"`).toBe(redactText(`${text}"`));
    }),
  );
});
