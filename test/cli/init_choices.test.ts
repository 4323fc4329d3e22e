import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { loadConfig } from '../../src/config/load.ts';
import { mainFile } from '../support/serve_process.ts';
import { type CommandLine, commandLine } from './command_line.ts';

let line: CommandLine;

beforeEach(() => {
  line = commandLine();
});

afterEach(() => line.remove());

const init = (...words: string[]) => line.type('init', '--dir', line.folder, ...words);
const AWAY = 'http://127.0.0.1:9';

describe('what init is told by options', () => {
  test('everything', async () => {
    const made = await init(
      ...['--homeserver', AWAY, '--public-url', 'https://matrix.example.org', '--yes'],
      ...['--trusted-proxy', '10.0.0.0/8', '--trusted-proxy', '2001:db8::1'],
      ...['--help-contact', 'mailto:help@example.org', '--storage', 'postgres://a@db.example.org/b'],
    );
    expect(made).toMatchObject({ code: 0 });
    expect(loadConfig(line.configFile, {})).toMatchObject({
      publicBaseUrl: 'https://matrix.example.org',
      homeserver: { url: AWAY },
      storage: { type: 'postgres', url: 'postgres://a@db.example.org/b' },
      trustedProxies: ['10.0.0.0/8', '2001:db8::1'],
      brand: { helpUrl: 'mailto:help@example.org' },
    });
  });

  test.each([
    [['--trusted-proxy', 'nginx'], '--trusted-proxy must be an address or a range such as 10.0.0.0/8'],
    [
      ['--help-contact', 'http://x.example'],
      '--help-contact must be a URL that begins with https:// or mailto:',
    ],
    [['--storage', 'mysql://x'], '--storage must be a URL such as postgres://user@host:5432/database'],
    [['--homeserver-config', '/nowhere.yaml'], '--homeserver-config /nowhere.yaml cannot be read: ENOENT'],
  ])('what cannot be used is refused before anything is asked or written: %j', async (words, complaint) => {
    line.typed = ['unused'];
    expect(await init(...words)).toEqual({ code: 2, out: '', err: `matrix-2fa-proxy: ${complaint}` });
    expect(line.questions).toEqual([]);
    expect(existsSync(line.configFile)).toBe(false);
  });
});

describe('what init asks on a terminal', () => {
  test('what no option says, with what is taken for an empty answer', async () => {
    line.typed = [AWAY, 'https://matrix.example.org', '', '10.1.0.1, 10.1.0.2', ''];
    expect(await init()).toMatchObject({ code: 0 });
    expect(line.questions).toEqual([
      'Where does the homeserver answer? [http://127.0.0.1:8008] ',
      'Which address do clients use? [http://127.0.0.1:8010] ',
      'Which database? sqlite, sqlite:PATH or postgres://user@host:5432/database [sqlite] ',
      'Addresses of the web servers in front, or none? [127.0.0.1 ::1] ',
      'Where do people find help who have lost everything? https://…, mailto:… or none [none] ',
    ]);
    expect(loadConfig(line.configFile, {})).toMatchObject({
      publicBaseUrl: 'https://matrix.example.org',
      storage: { type: 'sqlite', path: join(line.folder, 'data/2fa.db') },
      trustedProxies: ['10.1.0.1', '10.1.0.2'],
      brand: { helpUrl: undefined },
    });
  });

  test('an answer that cannot be used is asked for once more', async () => {
    line.typed = ['http://matrix.example.org', 'https://matrix.example.org', 'sqlite', 'none', 'none'];
    const { code, err } = await init('--homeserver', AWAY);
    expect(code).toBe(0);
    expect(err).toContain('  must begin with https:// (http:// is for loopback addresses only)');
    expect(loadConfig(line.configFile, {}).trustedProxies).toEqual([]);
  });

  test('nothing with --yes', async () => {
    line.typed = [];
    expect(await init('--homeserver', AWAY, '--yes')).toMatchObject({ code: 0 });
    expect(line.questions).toEqual([]);
  });

  test('broken off, nothing is written', async () => {
    line.typed = [AWAY];
    expect(await init()).toMatchObject({
      code: 1,
      err: expect.stringMatching(/broken off: nothing was written$/),
    });
    expect(existsSync(line.configFile)).toBe(false);
    expect(existsSync(join(line.folder, 'data'))).toBe(false);
  });

  test('nothing where there is a configuration already', async () => {
    writeFileSync(line.configFile, 'mine');
    line.typed = [AWAY];
    expect(await init()).toMatchObject({ code: 1 });
    expect(line.questions).toEqual([]);
    expect(readFileSync(line.configFile, 'utf8')).toBe('mine');
  });

  test('a folder that cannot be made is one line, and leaves no keys', async () => {
    const file = join(line.folder, 'file');
    writeFileSync(file, '');
    expect(await line.type('init', '--dir', file, '--yes', '--homeserver', AWAY)).toMatchObject({
      code: 1,
      err: expect.stringMatching(/file\/config\.yaml cannot be written: (ENOTDIR|EEXIST)$/),
    });
  });
});

describe('a real terminal', () => {
  /** Python's standard library makes one. */
  const TERMINAL = 'import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)';

  /** Types each line once the terminal shows the text before it. */
  async function onTerminal(
    steps: readonly (readonly [string, string])[],
  ): Promise<{ code: number; shown: string }> {
    const words = [process.execPath, mainFile(), 'init', '--dir', line.folder];
    const child = spawn('python3', ['-c', TERMINAL, ...words], { stdio: ['pipe', 'pipe', 'inherit'] });
    const left = [...steps];
    let shown = '';
    let from = 0;
    child.stdout.on('data', (chunk) => {
      shown += chunk;
      const [text, typed] = left[0] ?? [];
      if (text === undefined || !shown.includes(text, from)) return;
      from = shown.length;
      left.shift();
      child.stdin.write(typed);
    });
    const [code] = await once(child, 'close');
    return { code, shown };
  }

  test('asks, takes what is typed, and several lines at once', async () => {
    const { code, shown } = await onTerminal([
      ['[http://127.0.0.1:8008] ', `${AWAY}\r`],
      ['[http://127.0.0.1:8010] ', 'https://matrix.example.org\rsqlite:own.db\r10.0.0.1\r\r'],
    ]);
    expect(shown).toContain('Wrote ');
    expect(code).toBe(0);
    expect(loadConfig(line.configFile, {})).toMatchObject({
      publicBaseUrl: 'https://matrix.example.org',
      storage: { path: join(line.folder, 'own.db') },
      trustedProxies: ['10.0.0.1'],
    });
  });

  test('Ctrl-C writes nothing', async () => {
    const { code, shown } = await onTerminal([['[http://127.0.0.1:8008] ', '\u0003']]);
    expect(shown).toContain('broken off: nothing was written');
    expect(code).toBe(1);
    expect(existsSync(line.configFile)).toBe(false);
  });
});
