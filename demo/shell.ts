import { isJsonObject, type JsonObject } from '../src/matrix/wire.ts';
import { runCommand } from '../tools/synapse/run_command.ts';

/** Whether command lines with curl can be run here. */
export async function hasCurl(): Promise<boolean> {
  return (await runCommand('bash', ['-c', 'command -v curl'])).code === 0;
}

/** The JSON object that a command line prints, if it is one. */
export async function runLine(command: string): Promise<JsonObject | undefined> {
  const { code, stdout } = await runCommand('bash', ['-c', command]);
  if (code !== 0) return undefined;
  try {
    const printed: unknown = JSON.parse(stdout);
    return isJsonObject(printed) ? printed : undefined;
  } catch {
    return undefined;
  }
}
