import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, test } from '@jest/globals';
import { freePort, isFree, takePort } from '../../tools/free_port.ts';

const MODULE = new URL('../../tools/free_port.ts', import.meta.url).href;
const MANY = 300;

/** Other processes, as the workers of jest are, which keep what they were given until they are ended. */
class Others {
  readonly #children: ChildProcess[] = [];

  async take(count: number): Promise<number[]> {
    const script = `
      const { freePort } = await import('${MODULE}');
      const ports = [];
      while (ports.length < ${count}) ports.push(await freePort());
      console.log(JSON.stringify(ports));
      setInterval(() => undefined, 60_000);`;
    const words = ['--import', 'tsx', '--input-type=module', '--eval', script];
    const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'inherit'] });
    this.#children.push(child);
    const [said] = await once(child.stdout, 'data');
    return JSON.parse(String(said));
  }

  async end(): Promise<void> {
    for (const child of this.#children) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
  }
}

async function openedByKernel(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

describe('a port', () => {
  test('is not one that the kernel gives to those who bind port 0', async () => {
    const given = await Promise.all(Array.from({ length: MANY }, openedByKernel));
    const ours = await Promise.all(Array.from({ length: MANY }, () => takePort()));
    const [lowest, highest] = [Math.min(...given), Math.max(...given)];
    expect(ours.filter(({ port }) => port >= lowest && port <= highest)).toEqual([]);
    for (const { release } of ours) release();
  });

  test('is given once, also to callers at once and in other processes', async () => {
    const others = new Others();
    const ours = await Promise.all(Array.from({ length: MANY }, () => takePort()));
    try {
      const theirs = await Promise.all([others.take(MANY), others.take(MANY)]);
      expect(new Set([...ours.map(({ port }) => port), ...theirs.flat()]).size).toBe(3 * MANY);
    } finally {
      await others.end();
      for (const { release } of ours) release();
    }
  });

  test('on which something listens is not given', async () => {
    const port = await freePort();
    expect(await isFree(port)).toBe(true);
    const server = createServer().listen(port, '127.0.0.1');
    await once(server, 'listening');
    expect(await isFree(port)).toBe(false);
    await new Promise((resolve) => server.close(resolve));
  });

  test('is released twice without harm', async () => {
    const { release } = await takePort();
    release();
    release();
  });
});
