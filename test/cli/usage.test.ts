import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { nodeComplaint } from '../../src/cli/node_version.ts';
import { type CommandLine, commandLine } from './command_line.ts';

let line: CommandLine;
beforeEach(() => {
  line = commandLine();
});
afterEach(() => line.remove());

test('--help lists the commands and the exit codes', async () => {
  const { code, out, err } = await line.type('--help');
  expect({ code, err }).toEqual({ code: 0, err: '' });
  for (const command of [
    'init',
    'serve',
    'check-config',
    'doctor',
    'user',
    'keys',
    'backup',
    'routes',
    'restore',
    'migrate',
  ]) {
    expect(out).toContain(`  ${command} `);
  }
  expect(out).toContain('Exit codes');
});

test('--version prints it', async () => {
  const { code, out } = await line.type('--version');
  expect(code).toBe(0);
  expect(out).toMatch(/^\d+\.\d+\.\d+$/);
});

test.each([
  [['serv'], "unknown command 'serv'"],
  [['init', '--homserver', 'x'], "unknown option '--homserver'"],
  [['user', 'show'], "missing required argument 'user-id'"],
  [['user', 'reset', '@bob:example.org'], "required option '--reason <text>' not specified"],
])('%j is wrong usage', async (words, text) => {
  const { code, err } = await line.type(...words);
  expect(code).toBe(2);
  expect(err).toContain(`matrix-2fa-proxy: ${text}`);
});

test('no command at all is wrong usage and shows the help', async () => {
  const { code, err } = await line.type();
  expect(code).toBe(2);
  expect(err).toContain('Usage: matrix-2fa-proxy');
});

describe('the Node that it runs on', () => {
  test.each(['18.20.4', '20.18.1', '20.9.0', '16.0.0'])('%s is too old, and it says so', (version) => {
    expect(nodeComplaint(version)).toBe(
      `matrix-2fa-proxy needs Node 20.19 or newer; this is Node ${version}.`,
    );
  });

  test.each(['20.19.0', '20.20.2', '22.1.0', '24.0.0'])('%s will do', (version) => {
    expect(nodeComplaint(version)).toBeUndefined();
  });
});
