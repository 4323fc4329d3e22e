import { expect, test } from '@jest/globals';
import type { Command } from 'commander';
import { buildProgram } from '../../src/cli/program.ts';
import { processSurroundings } from '../../src/cli/surroundings.ts';
import { VARIABLES } from '../../src/config/source.ts';

/** Others on the machine can read arguments, and often the environment (proc(5), cmdline and environ). */
const SECRET = /pass|secret|seed|token|code|credential|private|pepper/i;

function withSubcommands(command: Command): Command[] {
  return [command, ...command.commands.flatMap(withSubcommands)];
}

test('no command takes a secret as an argument or as the value of an option', async () => {
  const commands = withSubcommands(await buildProgram(processSurroundings()));
  const takesValue = commands.flatMap(({ options, registeredArguments }) => [
    ...options.filter((option) => option.required || option.optional).map(({ long }) => long ?? ''),
    ...registeredArguments.map((argument) => argument.name()),
  ]);
  expect(takesValue.length).toBeGreaterThan(30);
  // The name of a file that holds one is no secret.
  expect(takesValue.filter((name) => SECRET.test(name) && !name.endsWith('-file'))).toEqual([]);
});

test('no secret comes from the environment: the variables name addresses and files', () => {
  expect([...VARIABLES.values()].map((path) => path.join('.')).filter((path) => SECRET.test(path))).toEqual(
    [],
  );
  expect([...VARIABLES.keys()].every((name) => /_(?:LISTEN|URL|PATH|FILE|LEVEL)$/.test(name))).toBe(true);
});
