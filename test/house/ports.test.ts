import { expect, test } from '@jest/globals';
import { findIn, type WrittenFile, writtenFiles } from './written_files.ts';

/** A server on a port that is not the kernel's choice, and on no path of a Unix socket. */
const CHOSEN = /\.listen\((?!\)|0\b|null\b|\{ path: )[^)\n]*/g;
/** What gives a port that nobody else takes meanwhile. */
const TAKEN = /\b(?:takePort|freePort)\(/;
/** A port that was open is handed on as free: by the time that it is used, another process may have it. */
const REOPENED = /\.close\(\(\) => \w+\(\w*[pP]ort\b[^\n]*/g;
const STARTS = /\bspawn\(/;
const OWN = /\b(?:untilItListens|isListener)\(/;

/** Files whose callers give the port. */
const GIVEN_A_PORT = [
  'demo/demo_client.ts',
  'test/homeserver/upstream.ts',
  'test/notify/receivers.ts',
  // Asks whether a port is free, and gives none.
  'tools/free_port.ts',
];
const OF_THEIR_OWN = [
  // The commands of docs/install.md start the programs there, and ask whether they answer.
  'test/deploy/fresh_machine.ts',
  // Its processes only take ports.
  'test/tools/free_port.test.ts',
];

const files = writtenFiles().filter(
  ({ file }) => /^(?:test|tools|demo|bench)\/.*\.ts$/.test(file) && !file.endsWith('ports.test.ts'),
);

function faultsOf(given: WrittenFile): string[] {
  const { file, text } = given;
  const isTaken = TAKEN.test(text);
  const chosen = isTaken || GIVEN_A_PORT.includes(file) ? [] : findIn(given, CHOSEN);
  const trusting = isTaken && STARTS.test(text) && !OWN.test(text) && !OF_THEIR_OWN.includes(file);
  return [
    ...chosen,
    ...findIn(given, REOPENED),
    ...(trusting ? [`${file}: takes whoever answers for the program that it starts`] : []),
  ];
}

test('ports come from the kernel or from takePort, and who starts a program there waits for that program', () => {
  expect(files.flatMap(faultsOf)).toEqual([]);
});

test('the lists name files that need it', () => {
  const needless = [...GIVEN_A_PORT, ...OF_THEIR_OWN].filter((name) => {
    const text = files.find(({ file }) => file === name)?.text;
    return text === undefined || faultsOf({ file: 'elsewhere.ts', text }).length === 0;
  });
  expect(needless.filter((name) => name !== 'tools/free_port.ts')).toEqual([]);
});

test.each([
  ['a port that is chosen', "server.listen(8448, '127.0.0.1');"],
  ['a port that was open', 'server.listen(0, () => server.close(() => resolve(port)));'],
  ['a program that is not waited for', "const port = await freePort();\nspawn('nginx');"],
])('%s is found', (_what, text) => {
  expect(faultsOf({ file: 'a test', text })).toHaveLength(1);
});
