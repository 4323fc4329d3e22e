import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { openDatabase } from '../../src/storage/sqlite/sqlite_library.ts';
import { openSqliteStorage } from '../../src/storage/sqlite/sqlite_storage.ts';
import { systemRandom } from '../../src/system/random.ts';
import { createKeyFile, loadKeyRing } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { enrol } from '../support/enrolment.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { type CommandLine, commandLine } from './command_line.ts';

let line: CommandLine;
let homeserver: Server;

beforeEach(async () => {
  homeserver = createServer((_request, response) => {
    response.setHeader('Content-Type', 'application/json').end('{"versions":["v1.11"]}');
  });
  const port = await listen(homeserver);
  line = commandLine();
  await line.type('init', '--dir', line.folder, '--homeserver', `http://127.0.0.1:${port}`);
  line.changeConfig('listen: 127.0.0.1:8010', 'listen: 127.0.0.1:0');
});

afterEach(async () => {
  homeserver.closeAllConnections();
  await new Promise((resolve) => homeserver.close(resolve));
  line.remove();
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

test('serve says in one line where it listens, answers there, and ends when told to', async () => {
  const serve = line.start('serve');
  const said = await serve.said;
  expect(said).toMatch(
    /^matrix-2fa-proxy listens on http:\/\/127\.0\.0\.1:\d+ as http:\/\/127\.0\.0\.1:8010, /,
  );
  const [url] = /http:\/\/[^ ]+/.exec(said) ?? [];

  const versions = await fetch(`${url}/_matrix/client/versions`);
  expect(await versions.json()).toMatchObject({ unstable_features: { 'org.matrix.2fa': true } });

  serve.stop();
  expect(await serve.ended).toEqual({ code: 0, out: said, err: '' });
  await expect(fetch(`${url}/_matrix/client/versions`)).rejects.toThrow();
});

test('SIGTERM ends the process with exit code 0', async () => {
  const serve = await ServeProcess.start(line.configFile);
  serve.child.kill('SIGTERM');
  expect(await serve.ended).toEqual({ code: 0, signal: null });
});

test('a homeserver that is away is named, and waited for', async () => {
  line.changeConfig('homeserver: { url: ', 'homeserver: { url: http://127.0.0.1:9 } #');
  const serve = line.start('serve');
  expect(await serve.said).toMatch(/in front of http:\/\/127\.0\.0\.1:9$/);
  await serve.remarked;
  serve.stop();
  expect(await serve.ended).toMatchObject({
    code: 0,
    err: 'note: the homeserver at http://127.0.0.1:9 does not answer; requests are refused until it does',
  });
});

test.each(['metrics', 'admin'])('a busy port of the listener %s is named with its setting', async (name) => {
  const other = createServer();
  const port = await listen(other);
  writeFileSync(
    line.configFile,
    `${readFileSync(line.configFile, 'utf8')}${name}: { listen: 127.0.0.1:${port} }\n`,
  );
  expect(await line.type('serve')).toMatchObject({
    code: 1,
    err: `matrix-2fa-proxy: cannot listen on 127.0.0.1:${port}: another program does; set ${name}.listen to a free port`,
  });
  await new Promise((resolve) => other.close(resolve));
});

test('told to end while it opens what it needs, it does', async () => {
  const script = join(line.folder, 'keys.sh');
  const [keys, asked] = [join(line.folder, 'data/keys.json'), join(line.folder, 'asked')];
  // The first look whether the keys fit is answered; then the vault hangs.
  writeFileSync(
    script,
    `#!/bin/sh\nif mkdir ${asked}; then exec cat ${keys}; fi\nmkdir ${asked}2\nexec sleep 60\n`,
    {
      mode: 0o700,
    },
  );
  line.changeConfig('file: data/keys.json', `command: [${script}], timeout: 3s, marks: data/marks.json`);
  const serve = line.start('serve');
  while (!existsSync(`${asked}2`)) await delay(1);
  serve.stop();
  expect(await serve.ended).toEqual({ code: 0, out: '', err: '' });
});

test('a busy port is named', async () => {
  const other = createServer();
  const port = await listen(other);
  line.changeConfig('listen: 127.0.0.1:0', `listen: 127.0.0.1:${port}`);

  expect(await line.type('serve')).toEqual({
    code: 1,
    out: '',
    err: `matrix-2fa-proxy: cannot listen on 127.0.0.1:${port}: another program does; set listen to a free port`,
  });
  await new Promise((resolve) => other.close(resolve));
});

test('a missing key file is wrong configuration', async () => {
  rmSync(join(line.folder, 'data/keys.json'));
  const { code, err } = await line.type('serve');
  expect(code).toBe(2);
  expect(err).toContain(`key file ${join(line.folder, 'data/keys.json')}: it does not exist`);
});

test('attack 91: the key file of another database is refused before anyone is', async () => {
  const keys = join(line.folder, 'data/keys.json');
  const database = join(line.folder, 'data/2fa.db');
  const storage = await openSqliteStorage({ path: database, clock: line.clock });
  const vault = new SealingVault(loadKeyRing(keys), systemRandom);
  await enrol({ store: storage.factors, vault, clock: line.clock }, '@bob:example.org');
  await storage.close();
  rmSync(keys);
  createKeyFile(keys, systemRandom, line.clock);

  expect(await line.type('serve')).toEqual({
    code: 2,
    out: '',
    err: `matrix-2fa-proxy: the keys in ${keys} are not those of the database ${database}`,
  });
});

test('attack 96: a database of a newer version is refused and left alone', async () => {
  const database = join(line.folder, 'data/2fa.db');
  await (await openSqliteStorage({ path: database, clock: line.clock })).close();
  const newer = openDatabase(database);
  newer.pragma('user_version = 999');
  newer.close();

  const { code, err } = await line.type('serve');

  expect(code).toBe(2);
  expect(err).toMatch(/^matrix-2fa-proxy: the database has schema version 999, but/);
});
