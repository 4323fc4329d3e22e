import { createInterface } from 'node:readline/promises';
import { type Clock, systemClock } from '../system/clock.ts';
import { codeOf } from '../system/file_rights.ts';
import { type RandomSource, systemRandom } from '../system/random.ts';
import { FAILED, FINE } from './failures.ts';

/** The program that reads our output has ended (`user list | head`): that is not our fault. */
const READER_ENDED = 'EPIPE';

/** What a command has around it: passed in, so that tests can look at what it says and answer what it asks. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly random: RandomSource;
  /** Results: each argument is one line, whatever stands in it. Adds the line ends. */
  out(...lines: readonly string[]): void;
  /** Results as CSV: lines end as RFC 4180 says. */
  csv(...lines: readonly string[]): void;
  /** What went wrong, and remarks, likewise. */
  err(...lines: readonly string[]): void;
  /** Asks a yes-or-no question; undefined if no one is there to answer. */
  confirm(question: string): Promise<boolean | undefined>;
  /** Questions to the person at the terminal; undefined if there is none. */
  dialogue(): Dialogue | undefined;
  /** Resolves when the process is asked to end. */
  untilStopped(): Promise<void>;
  /** Calls `act` each time the process is asked to read its configuration again, which ends it no more. */
  onReload(act: () => void): void;
  /** Resolves with the first error that nothing in the process has handled. After the call such errors do not end it. */
  untilFault(): Promise<Fault>;
}

/** Questions one after another. */
export interface Dialogue {
  /** The answer; undefined if it was broken off (Ctrl-C, Ctrl-D). */
  ask(question: string): Promise<string | undefined>;
  end(): void;
}

/** An exception or a rejected promise that nothing handled. */
export interface Fault {
  readonly error: unknown;
}

/** The real ones. */
export function processSurroundings(): Surroundings {
  // An error without a listener would end the process.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return {
    environment: process.env,
    clock: systemClock,
    random: systemRandom,
    out: (...lines) => void process.stdout.write(asText(lines)),
    csv: (...lines) => void process.stdout.write(lines.map((line) => `${line}\r\n`).join('')),
    err: (...lines) => void process.stderr.write(asText(lines)),
    confirm: askOnTerminal,
    dialogue: dialogueOnTerminal,
    untilStopped: untilSignal,
    onReload: (act) => void process.on('SIGHUP', act),
    untilFault,
  };
}

/**
 * Runs a command on the real ones. Where its results could not be written, on a full disk, it has failed:
 * `keys rotate --stdout > new && mv new keys.json` would put nothing in the place of the keys.
 * @returns the exit code
 */
export async function onProcess(run: (surroundings: Surroundings) => Promise<number>): Promise<number> {
  const surroundings = processSurroundings();
  let fault: string | undefined;
  process.stdout.on('error', (error) => {
    fault ??= codeOf(error);
  });
  const code = await run(surroundings);
  // Faults are told in a later turn than that of the write.
  await new Promise((resolve) => process.stdout.write('', resolve));
  if (code !== FINE || fault === undefined || fault === READER_ENDED) return code;
  surroundings.err(`matrix-2fa-proxy: what it printed could not be written: ${fault}`);
  return FAILED;
}

function asText(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

async function askOnTerminal(question: string): Promise<boolean | undefined> {
  if (!process.stdin.isTTY) return undefined;
  const dialogue = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await dialogue.question(`${question} [y/N] `);
    return /^y(es)?$/i.test(answer.trim());
  } finally {
    dialogue.close();
  }
}

/** Lines are taken as they come: several may be pasted at once. */
function dialogueOnTerminal(): Dialogue | undefined {
  if (!process.stdin.isTTY) return undefined;
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const lines = terminal[Symbol.asyncIterator]();
  return {
    ask: async (question) => {
      terminal.setPrompt(question);
      terminal.prompt();
      const { value, done } = await lines.next();
      return done === true ? undefined : value;
    },
    end: () => terminal.close(),
  };
}

function untilSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGTERM', () => resolve());
    process.once('SIGINT', () => resolve());
  });
}

/** The listeners stay: a second fault must not cut short what is done about the first. */
function untilFault(): Promise<Fault> {
  return new Promise((resolve) => {
    const tell = (error: unknown): void => resolve({ error });
    process.on('uncaughtException', tell);
    process.on('unhandledRejection', tell);
  });
}
