import { execFileSync } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ServeProcess } from '../support/serve_process.ts';
import { type CommandLine, commandLine } from './command_line.ts';

/** Each gives a line of some 250 bytes; a pipe holds 64 KiB. */
const LINES = 600;

let line: CommandLine;

beforeEach(async () => {
  line = commandLine();
  await line.type('init', '--dir', line.folder, '--homeserver', 'http://127.0.0.1:9');
  line.changeConfig('listen: 127.0.0.1:8010', 'listen: 127.0.0.1:0');
});

afterEach(() => line.remove());

function statusOf(url: string, agent: Agent): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const asked = request(url, { agent }, (answer) =>
      answer.resume().on('end', () => resolve(answer.statusCode)),
    );
    asked.on('error', reject).end();
  });
}

test('attack 185: a log that no one reads stops neither requests nor the end of the process', async () => {
  const pipe = join(line.folder, 'log');
  execFileSync('mkfifo', [pipe]);
  const reader = openSync(pipe, 'r+');
  const serve = await ServeProcess.start(line.configFile, { logTo: pipe });
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  const refused = Array.from({ length: LINES }, () => statusOf(`${serve.url}/nothing`, agent));
  expect(new Set(await Promise.all(refused))).toEqual(new Set([404]));
  expect(await statusOf(`${serve.url}/_2fa/health`, agent)).toBe(200);
  agent.destroy();
  // Throws if it does not end by itself.
  await serve.stop();
  closeSync(reader);
});
