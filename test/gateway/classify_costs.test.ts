import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { classify } from '../../src/gateway/classify.ts';
import { cpuCostMs } from '../support/cpu_cost.ts';

const BUDGET_MS = 5;
/** How much more time a processor takes that shares its core with the other tests. */
const BUSY = 3;
const LENGTH = 4096;
/** So often a target over the budget is judged again before it is believed: it is not compiled at first. */
const TRIES = 40;

const PREFIXES = [
  '/_matrix/client/',
  '/_matrix/client/v3/rooms/',
  '/_matrix/client/v3/devices/',
  '/_matrix/client/unstable/v1/',
  '/_synapse/client/',
  '/_matrix/federation/',
];

/** What is read in several ways, or makes many segments. */
const PARTS = [
  ...[
    '%25',
    '%2f',
    '%2e',
    '..',
    '.',
    '/',
    ';',
    'a',
    '%3b',
    '%23',
    '%3f',
    '%5c',
    '%20',
    '%a0',
    '%c2%a0',
    '%4',
  ],
  ...[
    '%ef%bc%8f',
    '%e2%84%aa',
    '%ef%b7%ba',
    '%252e',
    '//',
    '/../',
    '%2523',
    '%253b',
    '%2520',
    '%253f',
    '%255c',
  ],
];

async function costOf(target: string): Promise<number> {
  const first = await cpuCostMs(() => classify('POST', target), 3);
  return first < BUDGET_MS ? first : cpuCostMs(() => classify('POST', target), TRIES);
}

test.each([
  '%25xx',
  ';',
  '/../',
  '%25xx;/../',
  '%2523;%253b//./',
  '%ef%b7%ba/../.%255c',
  'a;b/../%25%32%35',
  '%2520;%253f%2523%255c/..//',
])('attack 120: 4 KB of %s are judged in 5 ms', async (unit) => {
  for (const prefix of PREFIXES) {
    const target = (prefix + unit.repeat(LENGTH)).slice(0, LENGTH);
    expect(await costOf(target)).toBeLessThan(BUDGET_MS * BUSY);
  }
});

test('attack 120: so is everything that is put together of such parts', async () => {
  const part = fc.constantFrom(...PARTS);
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...PREFIXES),
      fc.array(part, { maxLength: 8 }),
      fc.array(part, { minLength: 1, maxLength: 14 }),
      async (prefix, head, unit) => {
        const target = (prefix + head.join('') + unit.join('').repeat(LENGTH)).slice(0, LENGTH);
        expect(await costOf(target)).toBeLessThan(BUDGET_MS * BUSY);
      },
    ),
    { numRuns: 100 },
  );
});
