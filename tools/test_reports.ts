/**
 * What `.ci/run` asks of the reports that jest wrote (`--json`). Of a suite that is in several reports the last one counts.
 *
 *     node --import tsx tools/test_reports.ts failed REPORT…              the suites to try once more, a path a line
 *     node --import tsx tools/test_reports.ts sum REPORT… STEP=OUTCOME…   what failed, then "PASSED FAILED SKIPPED"
 *
 * A step is something else that CI runs; its outcome is `passed` or `failed`.
 */
import { existsSync, readFileSync } from 'node:fs';
import { relative } from 'node:path';

/** So many suites may fail by accident; where more fail, something is broken that a second try would only hide. */
const MOST_ACCIDENTS = 4;

interface Test {
  readonly fullName: string;
  readonly status: string;
  readonly failureMessages: readonly string[];
}

interface Suite {
  /** Its path. */
  readonly name: string;
  readonly status: string;
  readonly message: string;
  readonly assertionResults: readonly Test[];
}

function suitesToTryAgain(suites: readonly Suite[]): readonly string[] {
  const failed = suites.filter(({ status }) => status === 'failed').map(({ name }) => name);
  return failed.length > MOST_ACCIDENTS ? [] : failed;
}

/** @param suites in the order of their runs */
function sumUp(suites: readonly Suite[]): readonly string[] {
  const last = new Map(suites.map((suite) => [suite.name, suite]));
  const earlier = suites.filter((suite) => last.get(suite.name) !== suite);
  const tests = [...last.values()].flatMap(testsOf);
  const passed = tests.filter(({ status }) => status === 'passed').length;
  const failed = tests.filter(({ status }) => status === 'failed').length;
  return [
    ...earlier.flatMap(failuresOf).map((line) => `Failed beside others, then tried once more alone: ${line}`),
    ...[...last.values()].flatMap(failuresOf).map((line) => `Failed: ${line}`),
    `${passed} ${failed} ${tests.length - passed - failed}`,
  ];
}

/** A suite that could not run is a test that failed. */
function testsOf({ status, message, assertionResults }: Suite): readonly Test[] {
  const isBroken = status === 'failed' && !assertionResults.some((each) => each.status === 'failed');
  if (!isBroken) return assertionResults;
  return [...assertionResults, { fullName: 'it could not run', status, failureMessages: [message] }];
}

function failuresOf(suite: Suite): readonly string[] {
  return testsOf(suite)
    .filter(({ status }) => status === 'failed')
    .map(({ fullName, failureMessages }) => {
      const why = failureMessages
        .join('\n')
        .split('\n')
        .find((line) => line.trim() !== '');
      return `${relative('.', suite.name)} › ${fullName}: ${why ?? ''}`;
    });
}

/** A report that was not written is a failure. */
function read(given: string): readonly Suite[] {
  const [, step, outcome] = /^(\w+)=(passed|failed)$/.exec(given) ?? [];
  if (step !== undefined && outcome !== undefined) return [asSuite(step, outcome)];
  if (!existsSync(given)) return [asSuite(given, 'failed')];
  return JSON.parse(readFileSync(given, 'utf8')).testResults;
}

/** Something with one outcome. */
function asSuite(name: string, status: string): Suite {
  const only = { fullName: 'as a whole', status, failureMessages: ['see its output'] };
  return { name, status, message: '', assertionResults: [only] };
}

function main([what, ...given]: readonly string[]): void {
  const lines =
    what === 'failed' ? suitesToTryAgain(given.filter(existsSync).flatMap(read)) : sumUp(given.flatMap(read));
  if (lines.length > 0) process.stdout.write(`${lines.join('\n')}\n`);
}

main(process.argv.slice(2));
