import { readdirSync, readFileSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { inTime } from '../../src/system/in_time.ts';
import { preloaded, ServeProcess } from '../support/serve_process.ts';
import type { CommandLine } from './command_line.ts';
import { Initialised } from './initialised.ts';

const SYNC = '/_matrix/client/v3/sync';

let line: CommandLine;
let installed: Initialised;
/** A request that the homeserver has not answered yet. */
let reached: Promise<ServerResponse>;

beforeEach(async () => {
  let reach: (response: ServerResponse) => void;
  reached = new Promise((resolve) => {
    reach = resolve;
  });
  installed = await Initialised.make({ path: SYNC, reach: (_request, response) => reach(response) });
  ({ line } = installed);
});

afterEach(() => installed.remove());

test.each([
  ['exception', 'SIGUSR2'],
  ['rejection', 'SIGALRM'],
] as const)(
  'attack 125: an %s that nothing handled: one fatal line, requests under way are finished, exit code 1',
  async (kind, signal) => {
    const serve = await ServeProcess.start(line.configFile, { preload: [preloaded('faults')] });
    const underWay = fetch(serve.url + SYNC);
    const answer = await reached;

    serve.child.kill(signal);
    await untilRefused(serve.url);
    // A second fault changes nothing about the first.
    serve.child.kill(signal);
    answer.end('finished');
    expect(await (await underWay).text()).toBe('finished');

    expect(await serve.ended).toEqual({ code: 1, signal: null });
    const lines = serve.fatalLines;
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({
      level: 'fatal',
      err: { message: `a planted ${kind} with [hidden]` },
      msg: 'An error that nothing handled: this process ends and has to be started again',
    });
    expect(serve.log).not.toContain('syt_');
  },
);

/** Until the process has stopped to listen. */
async function untilRefused(url: string): Promise<void> {
  for (;;) {
    try {
      await (await fetch(`${url}/_2fa/health`)).text();
    } catch {
      return;
    }
  }
}

test('attack 125: what hangs in the ending is given up', async () => {
  await inTime(new Promise(() => undefined), 1);
  await expect(inTime(Promise.reject(new Error('the store cannot be closed')), 60_000)).rejects.toThrow();
});

test('attack 125: every other test that starts `serve` fails if the last resort is reached', () => {
  const starting = (readdirSync('test', { recursive: true, encoding: 'utf8' }) as string[])
    .filter((file) => file.endsWith('.ts') && file !== 'cli/last_resort.test.ts')
    .filter((file) => {
      const text = readFileSync(join('test', file), 'utf8');
      return text.includes('mainFile()') && text.includes("'serve', '--config'");
    });
  // Both look for its line.
  expect(starting.toSorted()).toEqual(['support/other_user.ts', 'support/serve_process.ts']);
});

test('attack 116: a log that cannot be written does not end the process', async () => {
  // Nothing listens at port 9, and each request passed on is worth a line.
  line.changeConfig('homeserver: { url: ', 'homeserver: { url: http://127.0.0.1:9 } #');
  const serve = await ServeProcess.start(line.configFile, { logTo: '/dev/full' });
  for (let time = 0; time < 5; time++) expect((await fetch(serve.url + SYNC)).status).toBe(502);
  await serve.stop();
});
