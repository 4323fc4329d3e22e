/**
 * Sends a list of requests, each once, over a number of kept-alive connections, as a process that can be pinned
 * to a core: `tsx request_list_sender.ts PORT CONNECTIONS SECONDS LIST.json [RATE]`. Prints a `ListResult` as JSON. With a rate each
 * request has its time, whether or not those before it were answered, and its latency counts from then. What is sent in the
 * first half of the time warms the server up and is not counted: until then much of its time goes to compiling.
 */
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { Pool } from 'undici';
import type { ListedRequest, ListResult } from './request_list.ts';

const WARM_UP_PART = 0.5;

async function main([port, connections, seconds, file, rate]: readonly string[]): Promise<void> {
  const list = JSON.parse(readFileSync(file ?? '', 'utf8')) as ListedRequest[];
  const pool = new Pool(`http://127.0.0.1:${port}`, { connections: Number(connections) });
  const latencies: number[] = [];
  let wrong = 0;
  let next = 0;
  const apartMs = rate === undefined ? 0 : 1000 / Number(rate);
  const cpuBefore = process.cpuUsage();
  const begun = performance.now();
  const end = begun + Number(seconds) * 1000;
  const warmAt = begun + Number(seconds) * WARM_UP_PART * 1000;

  async function sendOn(): Promise<void> {
    for (;;) {
      const turn = next++;
      const listed = list[turn];
      const dueAt = begun + turn * apartMs;
      if (listed === undefined || Math.max(dueAt, performance.now()) >= end) return;
      const early = dueAt - performance.now();
      if (early > 0) await pause(early);
      const sentAt = apartMs === 0 ? performance.now() : dueAt;
      const { statusCode, body } = await pool.request({
        method: listed.method as 'POST',
        path: listed.path,
        headers: listed.headers,
        body: listed.body,
      });
      const text = await body.text();
      const isRight = statusCode === listed.status && text.includes(listed.contains);
      if (!isRight) wrong++;
      const now = performance.now();
      if (now >= warmAt) latencies.push(now - sentAt);
    }
  }

  await Promise.all(Array.from({ length: Number(connections) }, sendOn));
  const ended = performance.now();
  const { user, system } = process.cpuUsage(cpuBefore);
  await pool.close();
  latencies.sort((one, other) => one - other);
  const result: ListResult = {
    counted: latencies.length,
    wrong,
    perSecond: (latencies.length / (ended - warmAt)) * 1000,
    p50Ms: latencies[Math.floor(latencies.length / 2)] ?? Number.NaN,
    p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? Number.NaN,
    ownShare: (user + system) / 1000 / (ended - begun),
  };
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

void main(process.argv.slice(2));
