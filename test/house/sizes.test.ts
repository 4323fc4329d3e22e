import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';

/** Lines of a file, and of a function, of the program and of the scripts of its pages (CONTRIBUTING.md, "Style"). */
const OF_THE_PROGRAM = { file: 250, function: 40 };
/** Of everything else. Here only functions with a name count: a suite is a function, too. */
const OF_TESTS = { file: 500, function: 60 };

const PROGRAM = ['src'];
const TESTS = ['test', 'tools', 'bench', 'demo'];

/** Files that are longer, each with the reason. */
const LONGER_FILES: Readonly<Record<string, string>> = {
  'src/admin/routes.ts': 'a row a route of the admin API',
  'src/config/config.ts': 'a type a section of the configuration',
  'src/config/settings.ts': 'a row a setting',
  'src/http/routes.ts': 'a row a route',
  'src/matrix/refusals.ts': 'a row a refusal',
  'src/pages/texts/de/pages.ts': 'a line a text',
  'src/pages/texts/de/sie.ts': 'a line a text',
  'src/pages/texts/en/pages.ts': 'a line a text',
  'test/factors/webauthn/webauthn_factor.test.ts':
    'one application and one authenticator for all cases of a factor',
  'test/pages/sign_in.test.ts': 'one application for all cases of the page',
  'test/personality/uia_probes.ts': 'a probe of a homeserver after another',
};

/** Functions that are longer, likewise, as `file: name`. */
const LONGER_FUNCTIONS: Readonly<Record<string, string>> = {
  'src/admin/handlers.ts: adminHandlers': 'what answers which route of the admin API',
  'src/cli/commands.ts: allCommands': 'a line a command',
  'src/config/load.ts: buildConfig': 'a line a section of the configuration',
  'src/server/handlers.ts: routeHandlers': 'a line a route',
  'test/browser/account_walk.ts: loseAndReplaceThePhone': 'one walk in a browser, step by step',
  'test/browser/clients.integration.test.ts: inBrowser': 'a suite for each browser',
  'test/cli/command_line.ts: commandLine': 'everything that a command is given, for a test',
  'test/integration/sso.integration.test.ts: inBrowser': 'a suite for each browser',
  'test/support/client_page.ts: documentFor': 'a page of HTML',
};

test('files are short, or a table', () => {
  const long = [...longFiles(PROGRAM, OF_THE_PROGRAM.file), ...longFiles(TESTS, OF_TESTS.file)];
  expect(long.filter((file) => !(file in LONGER_FILES))).toEqual([]);
});

test('functions are short, or a table', () => {
  const inProgram = longFunctions(PROGRAM, OF_THE_PROGRAM.function);
  const inTests = longFunctions(TESTS, OF_TESTS.function).filter((each) => !each.endsWith(ANONYMOUS));
  const long = [...inProgram, ...inTests];
  expect(long.filter((name) => !(name in LONGER_FUNCTIONS))).toEqual([]);
});

test('what is short by now stands in no list', () => {
  const files = [...longFiles(PROGRAM, OF_THE_PROGRAM.file), ...longFiles(TESTS, OF_TESTS.file)];
  const functions = [
    ...longFunctions(PROGRAM, OF_THE_PROGRAM.function),
    ...longFunctions(TESTS, OF_TESTS.function),
  ];
  expect(Object.keys(LONGER_FILES).filter((file) => !files.includes(file))).toEqual([]);
  expect(Object.keys(LONGER_FUNCTIONS).filter((name) => !functions.includes(name))).toEqual([]);
});

function longFiles(folders: readonly string[], most: number): string[] {
  return folders
    .flatMap((folder) =>
      readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((file) => join(folder, file)),
    )
    .filter((file) => /\.(?:[jt]s|mjs)$/.test(file) && !/(?:^|\/)(?:\.cache|recorded)\//.test(file))
    .filter((file) => readFileSync(file, 'utf8').trimEnd().split('\n').length > most);
}

const ANONYMOUS = ': (no name)';

interface Finding {
  readonly filename: string;
  readonly message: string;
}

/** As `file: name`. */
function longFunctions(folders: readonly string[], most: number): string[] {
  const findings = lint(folders, { 'eslint/max-lines-per-function': ['error', { max: most }] });
  return findings.map(({ filename, message }) => {
    const name = /function `([^`]+)`/.exec(message)?.[1];
    return name === undefined ? `${filename}${ANONYMOUS}` : `${filename}: ${name}`;
  });
}

function lint(folders: readonly string[], rules: object): Finding[] {
  const folder = mkdtempSync(join(tmpdir(), 'sizes-'));
  const config = join(folder, 'oxlint.json');
  writeFileSync(config, JSON.stringify({ plugins: [], categories: { correctness: 'off' }, rules }));
  try {
    const words = ['--config', config, '--format', 'json', '--no-error-on-unmatched-pattern', ...folders];
    execFileSync('node_modules/.bin/oxlint', words, { encoding: 'utf8' });
    return [];
  } catch (error) {
    // It ends with 1 where it has found something.
    const { stdout } = error as { stdout: string };
    return JSON.parse(stdout).diagnostics;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
