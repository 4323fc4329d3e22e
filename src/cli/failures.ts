import { CommanderError } from 'commander';
import { ConfigError } from '../config/config.ts';
import { SynapseFileError } from '../doctor/synapse_file.ts';
import { SchemaTooNew, SchemaTooOld, StoreUnavailable } from '../storage/errors.ts';
import { SqliteLibraryMissing } from '../storage/sqlite/sqlite_library.ts';
import { redactText } from '../system/redaction.ts';
import { KeyFileError } from '../vault/key_file_error.ts';

/** The command was called in a way that cannot be carried out. */
export class UsageError extends Error {}

/** The command did not do what it was asked to do; the message says why. */
export class CommandFailed extends Error {}

/** The command failed, and the log has said why already. */
export class FailureLogged extends Error {}

/** What was found is printed already; programs learn of it by the exit code. */
export class ReportPrinted extends Error {
  constructor(readonly code: number) {
    super('the report is printed');
  }
}

/** Exit codes (docs/operate.md, "Run"). */
export const FINE = 0;
export const FAILED = 1;
export const WRONG_USE = 2;

/** How a command that threw ends: its exit code, and the line to print (none if it was printed already). */
export function failureOf(error: unknown): { code: number; line: string | undefined } {
  if (error instanceof CommanderError) {
    return { code: error.exitCode === 0 ? FINE : WRONG_USE, line: undefined };
  }
  if (error instanceof ReportPrinted) return { code: error.code, line: undefined };
  if (error instanceof FailureLogged) return { code: FAILED, line: undefined };
  return { code: isWrongUse(error) ? WRONG_USE : FAILED, line: `matrix-2fa-proxy: ${textOf(error)}` };
}

function isWrongUse(error: unknown): boolean {
  return [
    UsageError,
    ConfigError,
    KeyFileError,
    SchemaTooNew,
    SchemaTooOld,
    SqliteLibraryMissing,
    SynapseFileError,
  ].some((kind) => error instanceof kind);
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return redactText(String(error));
  const reason = error instanceof StoreUnavailable ? `: ${error.reason}` : '';
  return redactText(`${error.message}${reason}`);
}
