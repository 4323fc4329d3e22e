/** Facts beside the text of a log line. */
export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Where the program reports what it does. Secrets are redacted by the real logger, but callers do not pass them
 * in the first place (rule R11).
 */
export interface Log {
  debug(fields: LogFields, text: string): void;
  info(fields: LogFields, text: string): void;
  warn(fields: LogFields, text: string): void;
  error(fields: LogFields, text: string): void;
}

/** A log that drops everything. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
