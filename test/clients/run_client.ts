import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isJsonObject, type JsonObject } from '../../src/matrix/wire.ts';
import type { PythonClients } from '../../tools/clients/python_clients.ts';

const DRIVERS = join(import.meta.dirname, 'drivers');
const LONGEST_RUN_MS = 240_000;

export interface ClientRun {
  readonly code: number | string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a client in a process of its own, to its end. */
export function runProgram(
  program: string,
  parameters: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<ClientRun> {
  // Some leave folders behind where they are started.
  const cwd = mkdtempSync(join(tmpdir(), 'client-'));
  const options = { cwd, env: { ...process.env, ...environment }, timeout: LONGEST_RUN_MS };
  return new Promise((resolve) => {
    const child = execFile(program, parameters, options, (error, stdout, stderr) => {
      rmSync(cwd, { recursive: true, force: true });
      resolve({ code: error === null ? 0 : (error.code ?? 'ended by a signal'), stdout, stderr });
    });
    // matrix-commander reads its input to the end if it is not a terminal.
    child.stdin?.end();
  });
}

/** Has a driver in Python do what `wish` says; its answer. */
export async function drivePython(
  clients: PythonClients,
  driver: string,
  wish: JsonObject,
): Promise<JsonObject> {
  // -B: no compiled files beside the drivers.
  return answerOf(
    await runProgram(clients.python, ['-B', join(DRIVERS, `${driver}.py`), JSON.stringify(wish)]),
  );
}

/** The same for a driver in Node whose client lives in `folder`. */
export async function driveNode(folder: string, driver: string, wish: JsonObject): Promise<JsonObject> {
  return answerOf(
    await runProgram(process.execPath, [join(DRIVERS, `${driver}.mjs`), folder, JSON.stringify(wish)]),
  );
}

/** What a driver printed last; clients print lines of their own before it. */
function answerOf({ code, stdout, stderr }: ClientRun): JsonObject {
  const answer: unknown = code === 0 ? JSON.parse(stdout.trim().split('\n').at(-1) ?? '') : undefined;
  if (!isJsonObject(answer)) throw new Error(`the client ended with ${code}: ${stderr || stdout}`);
  return answer;
}
