import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'reports-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const pathOf = (suite: string) => join(folder, suite);

/** A suite as jest reports it: its tests' outcomes, or why it could not run. */
function suite(name: string, statuses: readonly string[], message = '') {
  const assertionResults = statuses.map((status, index) => ({
    fullName: `test ${index + 1}`,
    status,
    failureMessages: status === 'failed' ? ['Error: no\n    at line 1'] : [],
  }));
  const isFailed = message !== '' || statuses.includes('failed');
  return { name: pathOf(name), status: isFailed ? 'failed' : 'passed', message, assertionResults };
}

function report(name: string, ...testResults: readonly object[]): string {
  writeFileSync(pathOf(name), JSON.stringify({ testResults }));
  return pathOf(name);
}

function ask(what: string, ...given: readonly string[]): readonly string[] {
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', 'tsx', 'tools/test_reports.ts', what, ...given],
    { encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  return stdout.split('\n').filter((line) => line !== '');
}

describe('the reports of a run', () => {
  test('are summed up, with a line for what failed', () => {
    const first = report('1.json', suite('a.test.ts', ['passed', 'failed', 'pending', 'todo']));
    const second = report('2.json', suite('b.test.ts', ['passed']), suite('c.test.ts', [], 'SyntaxError: x'));
    expect(ask('sum', first, second, 'demo=passed', 'other=failed')).toEqual([
      `Failed: ${relative('.', pathOf('a.test.ts'))} › test 2: Error: no`,
      `Failed: ${relative('.', pathOf('c.test.ts'))} › it could not run: SyntaxError: x`,
      'Failed: other › as a whole: see its output',
      '3 3 2',
    ]);
  });

  test('a report that was not written is a failure', () => {
    expect(ask('sum', pathOf('none.json')).at(-1)).toBe('0 1 0');
  });

  test('of a suite that ran twice the second time counts, and the first failure is told', () => {
    const first = report('1.json', suite('a.test.ts', ['passed', 'failed']), suite('b.test.ts', ['failed']));
    const again = report('2.json', suite('a.test.ts', ['passed', 'passed']), suite('b.test.ts', ['failed']));
    const earlier = 'Failed beside others, then tried once more alone';
    expect(ask('sum', first, again)).toEqual([
      `${earlier}: ${relative('.', pathOf('a.test.ts'))} › test 2: Error: no`,
      `${earlier}: ${relative('.', pathOf('b.test.ts'))} › test 1: Error: no`,
      `Failed: ${relative('.', pathOf('b.test.ts'))} › test 1: Error: no`,
      '2 1 0',
    ]);
  });
});

describe('suites to try once more', () => {
  const failed = (count: number) =>
    Array.from({ length: count }, (_, index) => suite(`${index}.test.ts`, ['passed', 'failed']));

  test('are those that failed, or could not run', () => {
    const path = report('1.json', suite('a.test.ts', ['passed']), suite('b.test.ts', [], 'x'), ...failed(3));
    expect(ask('failed', path)).toEqual(['b.test.ts', '0.test.ts', '1.test.ts', '2.test.ts'].map(pathOf));
  });

  test('there are none where so many failed that it is no accident, where none failed, or without a report', () => {
    expect(ask('failed', report('1.json', ...failed(5)))).toEqual([]);
    expect(ask('failed', report('2.json', suite('a.test.ts', ['passed'])))).toEqual([]);
    expect(ask('failed', pathOf('none.json'))).toEqual([]);
  });
});
