import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { rm } from 'node:fs/promises';
import { SchemaTooNew } from '../src/storage/errors.ts';
import { systemClock } from '../src/system/clock.ts';
import { KeyFileError } from '../src/vault/key_file_error.ts';
import { freePort, isFree } from '../tools/free_port.ts';
import { type Bob, findBob, StaleCast } from './cast.ts';
import { CodeFile } from './code_file.ts';
import { DemoClient } from './demo_client.ts';
import type { DemoOptions, Guest } from './options.ts';
import { sceneFolder } from './places.ts';
import { requireFreePort, Scene } from './scene.ts';
import { codeLine, tourText } from './tour.ts';

/** Where the demo's proxy listens. */
const PORT = 8010;
/** Where its small client is, if that port is free. */
const CLIENT_PORT = 8011;

/** Shows the demo until it is told to stop. */
export async function showDemo({ guest }: DemoOptions, signal: AbortSignal): Promise<void> {
  await requireFreePort(PORT);
  const { scene, bob } = await openOrBeginAnew(guest, signal);
  const codeFile = new CodeFile(scene, bob);
  const client = await DemoClient.open(await clientPort(), scene.url);
  try {
    const shown = await codeFile.refresh();
    codeFile.keepFresh();
    const isColoured = process.stdout.isTTY;
    const style = { hasAlice: guest === undefined, isColoured, clientUrl: client.url };
    say(`\n${await tourText(scene, bob, shown, style)}\n`);
    say(`Ctrl-C stops everything; what was done is kept for the next time.${enterHint()}`);
    const stopAsking = tellCodesOnEnter(scene, bob, codeFile);
    if (!signal.aborted) await once(signal, 'abort');
    stopAsking();
    say('\nStopping.');
  } finally {
    await client.close();
    await codeFile.remove();
    await scene.close();
  }
}

/** The same one each time, where that can be: its link may be kept. */
async function clientPort(): Promise<number> {
  return (await isFree(CLIENT_PORT)) ? CLIENT_PORT : freePort();
}

interface Opened {
  readonly scene: Scene;
  readonly bob: Bob;
}

async function openOrBeginAnew(guest: Guest | undefined, signal: AbortSignal): Promise<Opened> {
  const folder = sceneFolder(guest === undefined ? 'data' : guestFolder(guest));
  try {
    return await open(folder, guest, signal);
  } catch (error) {
    if (!isStale(error)) throw error;
    say('What an earlier run has kept does not fit this version any more: beginning again.');
    await rm(folder, { recursive: true, force: true });
    return open(folder, guest, signal);
  }
}

async function open(folder: string, guest: Guest | undefined, signal: AbortSignal): Promise<Opened> {
  const scene = await Scene.open({
    folder,
    port: PORT,
    clock: systemClock,
    homeserverUrl: guest?.url,
    onProgress: (line) => say(`  ${line}`),
    signal,
  });
  try {
    return { scene, bob: await findBob(scene, guest) };
  } catch (error) {
    await scene.close();
    throw error;
  }
}

function isStale(error: unknown): boolean {
  return [StaleCast, SchemaTooNew, KeyFileError].some((kind) => error instanceof kind);
}

/** Each homeserver and user has a folder of its own: what is kept belongs to them. */
function guestFolder({ url, user }: Guest): string {
  return `guest-${createHash('sha256').update(`${url} ${user}`).digest('hex').slice(0, 12)}`;
}

function enterHint(): string {
  return process.stdin.isTTY ? ' Enter shows the code of the moment.' : '';
}

function tellCodesOnEnter(scene: Scene, bob: Bob, codeFile: CodeFile): () => void {
  if (!process.stdin.isTTY) return () => undefined;
  const tell = async () => say(codeLine(bob, await codeFile.refresh(), scene.clock.now()));
  process.stdin.on('data', () => void tell());
  return () => {
    process.stdin.pause();
  };
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
