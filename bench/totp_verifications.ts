/**
 * TOTP verifications a second over HTTP with durable writes, one core, 32 connections: ours and, doing the same
 * in the same run, better-auth from npm.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runPinned, startPinned } from './support/pinned.ts';
import type { ListResult } from './support/request_list.ts';

const CONNECTIONS = 32;
const SECONDS = 5;
/** Every code can be sent once: so many users, and never so many that the list runs out early. */
const OUR_USERS = 25_000;
const THEIR_USERS = 1_500;
const SERVER_CORE = 0;
const LOAD_CORE = 1;
const MODULES = resolve('.cache/bench-better-auth');

/** Measures and prints both, and their ratio. */
export async function run(): Promise<void> {
  const ours = await measure('our_totp_server.ts', OUR_USERS, []);
  console.log(line('ours', ours));
  if (!installBetterAuth()) {
    console.log('better-auth: left out, npm could not install it');
    return;
  }
  const theirs = await measure('better_auth_totp_server.ts', THEIR_USERS, [MODULES]);
  console.log(line('better-auth', theirs));
  console.log(`ratio: ${(ours.perSecond / theirs.perSecond).toFixed(1)}×  (goal for ours: 2500/s)`);
}

async function measure(server: string, users: number, more: readonly string[]): Promise<ListResult> {
  const folder = mkdtempSync(join(tmpdir(), 'totp-bench-'));
  try {
    const running = await startPinned(SERVER_CORE, support(server), [folder, String(users), ...more]);
    const list = join(folder, 'requests.json');
    const load = [running.firstLine, String(CONNECTIONS), String(SECONDS), list];
    const result = await runPinned(LOAD_CORE, support('request_list_sender.ts'), load);
    await running.stop();
    return JSON.parse(result) as ListResult;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function line(name: string, { perSecond, p50Ms, right, sent }: ListResult): string {
  const wrong = sent === right ? '' : `  (${sent - right} of ${sent} not accepted)`;
  return `${name.padEnd(12)} ${perSecond.toFixed(0).padStart(6)}/s   p50 ${p50Ms.toFixed(1)} ms${wrong}`;
}

/** Into a folder of its own: it is not one of our dependencies. */
function installBetterAuth(): boolean {
  if (existsSync(join(MODULES, 'node_modules/better-auth'))) return true;
  mkdirSync(MODULES, { recursive: true });
  writeFileSync(join(MODULES, 'package.json'), '{ "private": true }');
  return spawnSync('npm', ['install', '--silent', 'better-auth@1'], { cwd: MODULES }).status === 0;
}

function support(script: string): string {
  return fileURLToPath(new URL(`./support/${script}`, import.meta.url));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run();
