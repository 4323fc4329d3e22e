import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { expect, test } from '@jest/globals';
import { takePort } from '../../tools/free_port.ts';
import { isListener, untilItListens } from '../../tools/own_listener.ts';

/** Listens on a port, itself or in a process below it, as nginx and HAProxy do; says why it cannot. */
const LISTENS = (port: number) => `
  require('node:net').createServer().on('error', ({ code }) => { console.log(code); process.exit(3); })
    .listen(${port}, '127.0.0.1');`;
const BELOW = (port: number) => `
  const { spawn } = require('node:child_process');
  spawn(process.execPath, ['-e', ${JSON.stringify(LISTENS(port))}], { stdio: 'inherit' });
  setInterval(() => undefined, 60_000);`;

function run(script: string) {
  const child = spawn(process.execPath, ['-e', script], {
    detached: true,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  const ended = once(child, 'close');
  return {
    child,
    said: () => said,
    end: async () => {
      // Its group: also the process below it. A process that has ended by itself has none.
      if (child.exitCode === null) process.kill(-(child.pid ?? 0), 'SIGKILL');
      await ended;
    },
  };
}

test.each([
  ['itself', LISTENS],
  ['in a process below it', BELOW],
])('a program that listens %s is seen', async (_how, script) => {
  const { port, release } = await takePort();
  const program = run(script(port));
  await untilItListens(program.child, port);
  await program.end();
  expect(await isListener(program.child, port)).toBe(false);
  release();
});

test('another program on the port is not taken for it, and why it ended is told', async () => {
  const { port, release } = await takePort();
  const stranger = createServer().listen(port, '127.0.0.1');
  await once(stranger, 'listening');
  const program = run(LISTENS(port));
  const waits = untilItListens(program.child, port, program.said);
  await expect(waits).rejects.toThrow(/^node ended with 3: EADDRINUSE/);
  await program.end();
  await new Promise((resolve) => stranger.close(resolve));
  release();
});

test('a program that is not there is told at once', async () => {
  const child = spawn('/nowhere/at-all', []);
  await expect(untilItListens(child, 1)).rejects.toThrow('ENOENT');
});
