import { readFileSync } from 'node:fs';
import TestSequencer from '@jest/test-sequencer';

const ORDER = JSON.parse(readFileSync(new URL('suites_in_order.json', import.meta.url), 'utf8'));

/**
 * Begins with the longest suites: more than a minute each in CI; the first of them takes the longest, and the second
 * waits most of its time. In a fresh checkout jest knows no times and goes by the sizes of files: a suite of minutes may
 * begin last then, while all workers but one have nothing left to do.
 *
 * Ends with those that wait for a program which is built beside the tests (.ci/run): they would hold a worker meanwhile.
 */
export default class SuitesInOrder extends TestSequencer {
  async sort(tests) {
    const sorted = await super.sort(tests);
    return sorted.toSorted((one, other) => placeOf(one) - placeOf(other));
  }
}

function placeOf({ path }) {
  const isOf = (name) => path.endsWith(`/${name}`);
  if (ORDER.last.some(isOf)) return ORDER.first.length + 1;
  const place = ORDER.first.findIndex(isOf);
  return place === -1 ? ORDER.first.length : place;
}
