import { Command } from 'commander';
import { oneLine } from '../system/one_line.ts';
import { programVersion } from '../system/version.ts';
import { FINE, failureOf } from './failures.ts';
import { serveCommand } from './serve.ts';
import type { Dialogue, Surroundings } from './surroundings.ts';

/**
 * Runs one command line.
 *
 * @param words the arguments after the program's name
 * @returns the exit code: 0 fine, 1 failed, 2 wrong usage or configuration
 */
export async function run(words: readonly string[], given: Surroundings): Promise<number> {
  const surroundings = harmless(given);
  try {
    const program = await buildProgram(surroundings, words);
    await program.parseAsync(words, { from: 'user' });
    return FINE;
  } catch (error) {
    const { code, line } = failureOf(error);
    if (line !== undefined) surroundings.err(line);
    return code;
  }
}

/** Whatever a command prints: a line stays one line, and commands nothing to the terminal that it is read on. */
function harmless(surroundings: Surroundings): Surroundings {
  const { out, csv, err, confirm, dialogue } = surroundings;
  return {
    ...surroundings,
    out: (...lines) => out(...lines.map(oneLine)),
    csv: (...lines) => csv(...lines.map(oneLine)),
    err: (...lines) => err(...lines.map(oneLine)),
    confirm: (question) => confirm(oneLine(question)),
    dialogue: () => harmlessDialogue(dialogue()),
  };
}

function harmlessDialogue(dialogue: Dialogue | undefined): Dialogue | undefined {
  return dialogue && { ...dialogue, ask: (question) => dialogue.ask(oneLine(question)) };
}

/** `serve` starts without the other commands: loading them takes as long as loading the server. */
async function commandsFor(words: readonly string[], surroundings: Surroundings): Promise<Command[]> {
  if (words[0] === 'serve') return [serveCommand(surroundings)];
  return (await import('./commands.ts')).allCommands(surroundings);
}

/** All commands, or the one of a command line. */
export async function buildProgram(
  surroundings: Surroundings,
  words: readonly string[] = [],
): Promise<Command> {
  const program = new Command('matrix-2fa-proxy')
    .description('Two-factor authentication for the accounts of a Matrix homeserver.')
    .version(programVersion())
    .addHelpText('after', '\nExit codes: 0 fine, 1 failed, 2 wrong usage or configuration.');
  for (const command of await commandsFor(words, surroundings)) program.addCommand(command);
  everyCommand(program, (command) => prepare(command, surroundings));
  return program;
}

/** Commander exits by itself otherwise, and prints past us. */
function prepare(command: Command, { out, err }: Surroundings): void {
  command.exitOverride();
  command.configureOutput({
    writeOut: (text) => out(...text.trimEnd().split('\n')),
    writeErr: (text) => err(...text.trimEnd().split('\n')),
    outputError: (text, write) => write(`matrix-2fa-proxy: ${oneLine(complaint(text))}`),
  });
}

/** Commander's complaint in one line; it puts its suggestion on a second one. */
function complaint(text: string): string {
  return text
    .trimEnd()
    .replace(/^error: /, '')
    .replace('\n(Did you mean', ' (did you mean');
}

function everyCommand(command: Command, visit: (command: Command) => void): void {
  visit(command);
  for (const inner of command.commands) everyCommand(inner, visit);
}
