import { posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CoverageRecorder, type RanFunction } from './coverage.ts';
import { type Extent, Scene, WAYS, type Way } from './ways.ts';

/** What one request ran. */
export interface Followed {
  readonly way: Way;
  readonly extent: Extent;
  readonly ran: readonly RanFunction[];
}

/** Timers and lazily made objects run beside a request now and then: only what runs each time belongs to it. */
const TURNS = 6;

/** A way that looks too long is sent up to so many times: on a busy machine, timers may run beside each of a few turns. */
const MOST_TURNS = 30;

/**
 * Sends each request some times to the application before a stub and says what ran each time.
 * @throws Error if a request is not answered as expected
 */
export async function followWays(): Promise<Followed[]> {
  const recorder = new CoverageRecorder(fileURLToPath(new URL('../../src/', import.meta.url)));
  const scene = await Scene.start();
  await recorder.start();
  try {
    const followed: Followed[] = [];
    for (const way of WAYS) followed.push(await follow(way, scene, recorder));
    return followed;
  } finally {
    recorder.stop();
    await scene.stop();
  }
}

async function follow(way: Way, scene: Scene, recorder: CoverageRecorder): Promise<Followed> {
  const turns: RanFunction[][] = [];
  for (;;) {
    turns.push(await turnOf(way, scene, recorder));
    if (turns.length < TURNS) continue;
    const ran = inEach(turns);
    const extent = extentOf(ran);
    if (extent.files <= way.mostFiles || turns.length >= MOST_TURNS) return { way, ran, extent };
  }
}

async function turnOf(way: Way, scene: Scene, recorder: CoverageRecorder): Promise<RanFunction[]> {
  scene.letOldSignInsEnd();
  const send = await way.prepare(scene);
  await recorder.takeRan();
  await send();
  return recorder.takeRan();
}

function inEach(turns: readonly RanFunction[][]): RanFunction[] {
  const [first = [], ...others] = turns;
  const seen = others.map((turn) => new Set(turn.map(identity)));
  return first.filter((each) => seen.every((ran) => ran.has(identity(each))));
}

function identity({ file, offset }: RanFunction): string {
  return `${file}:${offset}`;
}

function extentOf(ran: readonly RanFunction[]): Extent {
  const files = new Set(ran.map(({ file }) => file));
  // A folder with folders of its own counts once for each: pages/sign_in and pages/shell are two places to look.
  const folders = new Set([...files].map((file) => posix.dirname(file)));
  return { files: files.size, folders: folders.size, functions: ran.length };
}
