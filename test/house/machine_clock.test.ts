import { expect, test } from '@jest/globals';
import { findIn, writtenFiles } from './written_files.ts';

/** `codeNow` makes these, and knows which steps last long enough. */
const MADE = /\bcodeAt\([^;\n]*Date\.now\(\)/g;
const MAKER = 'test/support/enrolment.ts';

test('codes of the machine’s clock are those of the present step and the next', () => {
  const files = writtenFiles().filter(
    ({ file }) => file !== MAKER && !file.endsWith('machine_clock.test.ts'),
  );
  expect(files.flatMap((file) => findIn(file, MADE))).toEqual([]);
});

test('what makes them is found', () => {
  const text = 'const token = codeAt(bob.seed, Date.now(), -1);';
  expect(findIn({ file: 'a test', text }, MADE)).toHaveLength(1);
});
