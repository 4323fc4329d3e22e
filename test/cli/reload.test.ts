import type { ChildProcess } from 'node:child_process';
import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { Reload } from '../../src/cli/reload.ts';
import { loadWithSettings } from '../../src/config/load.ts';
import type { LogFields } from '../../src/system/log.ts';
import type { ProcessLog } from '../../src/system/logger.ts';
import { ServeProcess } from '../support/serve_process.ts';
import { type CommandLine, commandLine } from './command_line.ts';

let line: CommandLine;

beforeEach(async () => {
  line = commandLine();
  await line.type('init', '--dir', line.folder);
});

afterEach(() => line.remove());

describe('reading the configuration again', () => {
  let told: { level: string; fields: LogFields; text: string }[];
  let log: ProcessLog;
  /** What the proxy was given. */
  let taken: number;
  let keys: { areOther: boolean; fault?: Error };

  beforeEach(() => {
    told = [];
    taken = 0;
    keys = { areOther: false };
    const tell = (level: string) => (fields: LogFields, text: string) =>
      void told.push({ level, fields, text });
    log = {
      debug: tell('debug'),
      info: tell('info'),
      warn: tell('warn'),
      error: tell('error'),
      fatal: tell('fatal'),
      level: 'info',
    };
  });

  const proxy = {
    reload: async () => {
      if (keys.fault !== undefined) throw keys.fault;
      taken += 1;
      return keys.areOther;
    },
  };

  function begun(): Reload {
    const reload = new Reload(() => loadWithSettings(line.configFile, {}));
    reload.begin(proxy, log);
    return reload;
  }

  async function after(reload: Reload): Promise<void> {
    const before = told.length;
    reload.ask();
    while (told.length === before) await delay(1);
  }

  test('one line says what was taken, and what needs a restart', async () => {
    const reload = begun();
    appendFileSync(line.configFile, 'limits: { session_failures: 3 }\nlogin: { hold_ttl: 1m }\n');
    keys.areOther = true;
    await after(reload);
    expect(told).toEqual([
      {
        level: 'info',
        fields: {
          event: 'reload',
          changed: ['limits.session_failures', 'keys'],
          needs_restart: ['login.hold_ttl'],
        },
        text: 'The configuration was read again',
      },
    ]);
    expect(taken).toBe(1);
  });

  test('what was taken once is not a change the next time', async () => {
    const reload = begun();
    appendFileSync(line.configFile, 'limits: { session_failures: 3 }\nlogin: { hold_ttl: 1m }\n');
    await after(reload);
    await after(reload);
    expect(told.at(-1)?.fields).toEqual({ event: 'reload', changed: [], needs_restart: ['login.hold_ttl'] });
  });

  test('the level of the log changes, and the line is written at the one that says more', async () => {
    const reload = begun();
    appendFileSync(line.configFile, 'log: { level: error }\n');
    let levelAtLine: string | undefined;
    const { info } = log;
    log.info = (fields, text) => {
      levelAtLine = log.level;
      info(fields, text);
    };
    await after(reload);
    expect([levelAtLine, log.level]).toEqual(['info', 'error']);
    line.changeConfig('level: error', 'level: debug');
    await after(reload);
    expect([levelAtLine, log.level]).toEqual(['debug', 'debug']);
  });

  test.each([
    [
      'a setting that does not exist',
      'lisen: 1\n',
      'lisen: there is no such setting; did you mean "listen"?',
    ],
    ['no YAML', 'a: [\n', /config\.yaml:\d+: /],
    ['a value that does not fit', 'limits: { session_failures: 0 }\n', 'limits.session_failures'],
    ['a registration file that is missing', 'application_services: [none.yaml]\n', 'cannot be read'],
  ])('a faulty file changes nothing: %s', async (_name, text, complaint) => {
    const reload = begun();
    const good = readFileSync(line.configFile, 'utf8');
    writeFileSync(line.configFile, `${good}${text}`);
    await after(reload);
    expect(told).toEqual([
      {
        level: 'error',
        fields: { event: 'reload', changed: [], needs_restart: [] },
        text: expect.stringMatching(/^Nothing was changed: /),
      },
    ]);
    expect(told[0]?.text).toMatch(complaint);
    expect([taken, log.level]).toEqual([0, 'info']);
    writeFileSync(line.configFile, good);
    await after(reload);
    expect(told.at(-1)).toMatchObject({ level: 'info' });
  });

  test('keys that cannot be read change nothing', async () => {
    const reload = begun();
    appendFileSync(line.configFile, 'log: { level: debug }\n');
    keys.fault = new Error('key file gone');
    await after(reload);
    expect(told).toMatchObject([{ level: 'error', text: 'Nothing was changed: key file gone' }]);
    expect(log.level).toBe('info');
    delete keys.fault;
    await after(reload);
    expect(told.at(-1)?.fields).toMatchObject({ changed: ['log.level'] });
  });

  test('asked for before the proxy runs, it is done as soon as it does', async () => {
    const reload = new Reload(() => loadWithSettings(line.configFile, {}));
    reload.ask();
    await delay(0);
    expect(taken).toBe(0);
    reload.begin(proxy, log);
    while (told.length === 0) await delay(1);
    expect(taken).toBe(1);
  });

  test('asked for many times at once, the last is not lost', async () => {
    const reload = begun();
    for (let turn = 0; turn < 50; turn += 1) reload.ask();
    appendFileSync(line.configFile, 'limits: { session_failures: 3 }\n');
    await after(reload);
    while (told.at(-1)?.fields.changed === undefined || taken < 2) await delay(1);
    expect(told.flatMap(({ fields }) => fields.changed)).toEqual(['limits.session_failures']);
  });
});

describe('F-14: SIGHUP', () => {
  const LOGIN = '/_matrix/client/v3/login';
  let homeserver: Server;
  let serve: ServeProcess;

  beforeEach(async () => {
    homeserver = createServer((request, response) => {
      request.resume();
      const isLogin = request.method === 'POST';
      response.writeHead(isLogin ? 403 : 200, { 'Content-Type': 'application/json' });
      response.end(isLogin ? '{"errcode":"M_FORBIDDEN","error":"no"}' : '{"versions":["v1.11"]}');
    });
    await new Promise<void>((resolve) => homeserver.listen(0, '127.0.0.1', resolve));
    const { port } = homeserver.address() as AddressInfo;
    line.changeConfig('listen: 127.0.0.1:8010', 'listen: 127.0.0.1:0');
    line.changeConfig('http://127.0.0.1:8008', `http://127.0.0.1:${port}`);
    serve = await ServeProcess.start(line.configFile);
  });

  afterEach(async () => {
    await serve.stop();
    homeserver.closeAllConnections();
    await new Promise((resolve) => homeserver.close(resolve));
  });

  const reloads = () => serve.log.split('\n').filter((each) => each.includes('"event":"reload"'));

  async function hangUp(): Promise<string> {
    const before = reloads().length;
    serve.child.kill('SIGHUP');
    while (reloads().length === before) await delay(1);
    return reloads().at(-1) ?? '';
  }

  /** https://man7.org/linux/man-pages/man5/proc_pid_status.5.html: the signals that it catches, as bits. */
  function listensToHangUp(pid: number | undefined): boolean {
    const [, caught = '0'] =
      /^SigCgt:\s*([0-9a-f]+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return (BigInt(`0x${caught}`) & 1n) === 1n;
  }

  const status = async (forwardedFor = '192.0.2.1') => {
    const body = {
      type: 'm.login.password',
      identifier: { type: 'm.id.user', user: 'bob' },
      password: 'wrong',
    };
    const headers = { 'Content-Type': 'application/json', 'X-Forwarded-For': forwardedFor };
    const answer = await fetch(`${serve.url}${LOGIN}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    });
    await answer.arrayBuffer();
    return answer.status;
  };

  test('a hundred times, a broken file among them, under requests: none fails, and the last file counts', async () => {
    const good = readFileSync(line.configFile, 'utf8');
    let isOver = false;
    const seen = new Set<number>();
    const asking = (async () => {
      while (!isOver) {
        const answer = await fetch(`${serve.url}/_matrix/client/versions`);
        await answer.arrayBuffer();
        seen.add(answer.status);
      }
    })();

    for (let turn = 1; turn <= 100; turn += 1) {
      const isBroken = turn % 10 === 0;
      writeFileSync(
        line.configFile,
        isBroken ? `${good}limits: [` : `${good}limits: { session_failures: ${turn} }\n`,
      );
      const said = await hangUp();
      expect(said).toContain(
        isBroken ? '"level":"error"' : '"changed":["limits.session_failures"],"needs_restart":[]',
      );
    }
    isOver = true;
    await asking;
    expect([...seen]).toEqual([200]);
  });

  test('limits and trusted proxies are those of the file that was read last', async () => {
    expect([await status(), await status()]).toEqual([403, 403]);
    appendFileSync(line.configFile, 'limits: { per_address: { per_second: 0.001, burst_count: 2 } }\n');
    expect(await hangUp()).toContain(
      '"changed":["limits.per_address.per_second","limits.per_address.burst_count"]',
    );
    expect([await status('192.0.2.2'), await status('192.0.2.2'), await status('192.0.2.2')]).toEqual([
      403, 403, 429,
    ]);
    expect(await status('192.0.2.3')).toBe(403);
    line.changeConfig(/trusted_proxies: .*/, 'trusted_proxies: []');
    expect(await hangUp()).toContain('"changed":["trusted_proxies"]');
    expect([await status('192.0.2.4'), await status('192.0.2.5'), await status('192.0.2.6')]).toEqual([
      403, 403, 429,
    ]);
  });

  test('a policy that works only after a restart is not taken: no user could set a factor up until then', async () => {
    line.changeConfig(/public_base_url: .*/, 'public_base_url: https://matrix.example.org');
    const good = readFileSync(line.configFile, 'utf8');
    writeFileSync(line.configFile, `${good}policy: { default: required, factors: [webauthn] }\n`);
    expect(await hangUp()).toContain(
      'Nothing was changed: policy: factors names only webauthn, which is off until a restart',
    );
    writeFileSync(line.configFile, `${good}policy: { default: required }\n`);
    expect(await hangUp()).toContain('"changed":["policy.default"],"needs_restart":["public_base_url"]');
  });

  test('it does not end a process that has only begun to start', async () => {
    let signals = 0;
    const hangUpEarly = async (child: ChildProcess): Promise<void> => {
      // Node itself takes its time before our first line runs.
      while (!listensToHangUp(child.pid)) await delay(1);
      child.kill('SIGHUP');
      signals += 1;
    };
    const early = await ServeProcess.start(line.configFile, {
      onSpawn: (child) => void hangUpEarly(child),
    });
    expect(signals).toBe(1);
    await early.stop();
  });

  test('it never ends the process, also when it comes in a burst', async () => {
    for (let turn = 0; turn < 100; turn += 1) serve.child.kill('SIGHUP');
    expect(await hangUp()).toContain('"level":"info"');
    expect(await status()).toBe(403);
  });
});
