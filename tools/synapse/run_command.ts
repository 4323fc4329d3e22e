import { spawn } from 'node:child_process';

export interface CommandResult {
  /** The exit code; null if the program could not be started or was ended by a signal. */
  readonly code: number | null;
  readonly stdout: string;
  /** Standard error, or why the program could not be started. */
  readonly stderr: string;
}

export interface CommandOptions {
  /** Called with every line of standard output as it comes. */
  readonly onLine?: (line: string) => void;
  /** Ends the program when it is aborted. */
  readonly signal?: AbortSignal | undefined;
}

/** Runs a program to its end. Never throws: a program that does not exist is a result without a code. */
export async function runCommand(
  program: string,
  parameters: readonly string[],
  { onLine, signal }: CommandOptions = {},
): Promise<CommandResult> {
  return new Promise((resolve) => {
    const child = spawn(program, parameters, {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...(signal === undefined ? {} : { signal }),
    });
    let stdout = '';
    let stderr = '';
    let unfinishedLine = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      const lines = (unfinishedLine + text).split('\n');
      unfinishedLine = lines.pop() ?? '';
      for (const line of lines) onLine?.(line);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
    });
    child.once('error', (error) => resolve({ code: null, stdout, stderr: error.message }));
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
