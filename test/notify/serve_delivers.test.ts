import { execFileSync } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { createProxy } from '../../src/server/proxy.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import { ask } from '../../src/storage/statement.ts';
import { MINUTE } from '../../src/system/clock.ts';
import { systemRandom } from '../../src/system/random.ts';
import { LOGIN, passwordLogin, startApp, type TestApp } from '../support/app.ts';
import { call } from '../support/http.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { until } from '../support/until.ts';
import { type MailReceiver, startMailReceiver } from './receivers.ts';

const PASSWORD = 'correct horse';

let app: TestApp;
let serve: ServeProcess | undefined;
let plain: MailReceiver;
let startTls: MailReceiver;
let tls: MailReceiver;
let holdsBack = false;
/** Mails that the server has read, and not answered. */
let heldBack = 0;

/** Each user is to set up a second factor: their first sign-in is told by mail. */
beforeAll(async () => {
  const users = ['ann', 'ben', 'cid', 'dan', 'eve'].map((name) => ({
    ...{ name, password: PASSWORD, emails: [`${name}@example.org`] },
  }));
  app = await startApp({ users, config: 'policy: { default: required, grace: 30d }' });
  await app.shutDown();
  const files = [join(app.directory, 'mail.key'), join(app.directory, 'mail.pem')] as const;
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '2'];
  const names = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
  const out = ['-keyout', files[0], '-out', files[1]];
  execFileSync('openssl', ['req', '-x509', ...kind, ...names, ...out], { stdio: 'ignore' });
  const [key, cert] = files.map((file) => readFileSync(file));
  const secure = { key: key ?? '', cert: cert ?? '' };
  startTls = await startMailReceiver({ ...secure, disabledCommands: [] });
  tls = await startMailReceiver({ ...secure, secure: true });
  plain = await startMailReceiver({
    onRcptTo: (_address, _session, done) => {
      if (!holdsBack) return done();
      heldBack += 1;
    },
  });
});

beforeEach(() => {
  holdsBack = false;
});

afterAll(async () => {
  await serve?.kill();
  await app.stop();
  await Promise.all([plain, startTls, tls].map((each) => each.stop()));
});

const configFile = () => join(app.directory, 'config.yaml');

/** Takes the place of the section that stood there. */
function setMail(port: number, security: string): void {
  const text = readFileSync(configFile(), 'utf8').replace(/\nnotify: .*\n/, '\n');
  const mail = `{ from: 2fa@example.org, host: localhost, port: ${port}, security: ${security} }`;
  writeFileSync(configFile(), `${text}\nnotify: { retry_first: 1s, mail: ${mail} }\n`);
}

async function start(): Promise<void> {
  serve = await ServeProcess.start(configFile(), {
    environment: { NODE_EXTRA_CA_CERTS: join(app.directory, 'mail.pem') },
  });
}

async function signIn(name: string): Promise<void> {
  const json = passwordLogin(name, PASSWORD);
  expect((await call(serve?.url ?? '', { method: 'POST', target: LOGIN, json })).status).toBe(200);
}

const comes = (is: () => boolean | Promise<boolean>) => until(is, () => serve?.log ?? '');

const toldAt = (receiver: MailReceiver) => receiver.mails.flatMap(({ to }) => to);

async function waiting(): Promise<number> {
  const storage = await openSqliteStorage({ path: join(app.directory, '2fa.db'), clock: app.clock });
  const rows = await storage.read(ask('SELECT id FROM notices'));
  await storage.close();
  return rows.length;
}

test('SIGHUP turns mail on, over STARTTLS and TLS with a certificate that is trusted, and refuses a faulty setting', async () => {
  await start();
  const reloads = () => serve?.log.split('\n').filter((line) => line.includes('"event":"reload"')) ?? [];
  const hangUp = async () => {
    const before = reloads().length;
    serve?.child.kill('SIGHUP');
    await comes(() => reloads().length > before);
    return reloads().at(-1) ?? '';
  };
  await signIn('ann');
  setMail(startTls.port, 'starttls');
  expect(await hangUp()).toContain('notify.mail');
  await signIn('ben');
  await comes(() => startTls.mails.length > 0);
  expect(toldAt(startTls)).toEqual(['ben@example.org']);

  const right = readFileSync(configFile(), 'utf8');
  appendFileSync(configFile(), 'notify: { mail: { from: nonsense } }\n');
  expect(await hangUp()).toContain('"level":"error"');
  writeFileSync(configFile(), right);

  setMail(tls.port, 'tls');
  await hangUp();
  await signIn('cid');
  await comes(() => tls.mails.length > 0);
  expect(toldAt(tls)).toEqual(['cid@example.org']);
  expect(toldAt(startTls)).toEqual(['ben@example.org']);
});

test('attack 192: kill -9 of the process that delivers: nothing is lost, and what was sent goes out once', async () => {
  await serve?.kill();
  setMail(plain.port, 'none');
  await start();
  await signIn('dan');
  await comes(async () => plain.mails.length === 1 && (await waiting()) === 0);
  holdsBack = true;
  await signIn('eve');
  await comes(() => heldBack > 0);
  await serve?.kill();
  serve = undefined;
  expect(toldAt(plain)).toEqual(['dan@example.org']);
  expect(await waiting()).toBe(1);

  // Another process takes it when the lease is over.
  holdsBack = false;
  const clock = new ManualClock(Date.now());
  const other = await createProxy(loadConfig(configFile(), {}), { clock, random: systemRandom });
  await other.sendNotices();
  expect(plain.mails).toHaveLength(1);
  clock.advance(MINUTE);
  await other.sendNotices();
  await other.sendNotices();
  await other.close(0);
  expect(toldAt(plain)).toEqual(['dan@example.org', 'eve@example.org']);
  expect(new Set(plain.mails.map((each) => each.header('Message-ID'))).size).toBe(2);
  expect(await waiting()).toBe(0);
});
