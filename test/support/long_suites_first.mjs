import { readFileSync } from 'node:fs';
import TestSequencer from '@jest/test-sequencer';

/** More than a minute each in CI; the first of them takes the longest, and the second waits most of its time. */
const LONG_SUITES = JSON.parse(readFileSync(new URL('long_suites.json', import.meta.url), 'utf8'));

/**
 * Begins with the longest suites. In a fresh checkout jest knows no times and goes by the sizes of files: a suite of
 * minutes may begin last then, while all workers but one have nothing left to do.
 */
export default class LongSuitesFirst extends TestSequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    return sorted.toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}

function placeOf({ path }) {
  const place = LONG_SUITES.findIndex((name) => path.endsWith(`/${name}`));
  return place === -1 ? LONG_SUITES.length : place;
}
