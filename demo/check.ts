import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { freePort } from '../tools/free_port.ts';
import { MovableClock } from './movable_clock.ts';
import type { DemoOptions } from './options.ts';
import { sceneFolder } from './places.ts';
import { StepFailed } from './report.ts';
import { Scene } from './scene.ts';
import { Walk } from './walk.ts';

/** Walks through the whole demo on fresh data and a port of its own, so that a running demo is not disturbed. */
export async function runCheck({ guest }: DemoOptions, signal: AbortSignal): Promise<number> {
  const prefix = sceneFolder('check-');
  await mkdir(dirname(prefix), { recursive: true });
  const folder = await mkdtemp(prefix);
  try {
    const clock = new MovableClock();
    const scene = await Scene.open({
      folder,
      port: await freePort(),
      clock,
      homeserverUrl: guest?.url,
      onProgress: (line) => process.stdout.write(`  ${line}\n`),
      signal,
    });
    try {
      const steps = await new Walk(scene, clock, guest).all(signal);
      process.stdout.write(`\nAll ${steps} steps went as they should.\n`);
      return 0;
    } finally {
      await scene.close();
    }
  } catch (error) {
    if (!(error instanceof StepFailed)) throw error;
    process.stderr.write(`\n${error.message}\n`);
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
