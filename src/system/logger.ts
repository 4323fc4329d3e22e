import { type DestinationStream, destination, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import type { Log, LogFields } from './log.ts';
import { redactFields, redactText } from './redaction.ts';

interface LoggerOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  /** One JSON object a line, or text for people. */
  readonly format: 'json' | 'pretty';
}

/** The log of a whole process, which can say why it ends, too. */
export interface ProcessLog extends Log {
  fatal(fields: LogFields, text: string): void;
  /** The least important lines that are written from now on. */
  level: LoggerOptions['level'];
}

/**
 * The real log. Every field and text goes through redaction here, nested ones too, which pino's own `redact`
 * by fixed paths would not reach (rule R11, attack 70).
 *
 * @param output where lines go; standard error by default, written at once so that none is lost at the end
 */
export function createLogger(
  options: LoggerOptions,
  output: DestinationStream = standardError(),
): ProcessLog {
  const logger = pino(
    {
      level: options.level,
      base: null,
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      // Errors arrive here as plain fields: pino's own serializer would take them apart a second time.
      serializers: { err: (fields) => fields },
    },
    options.format === 'pretty' ? prettified(output) : output,
  );
  const write = (level: Exclude<keyof ProcessLog, 'level'>) => (fields: LogFields, text: string) => {
    if (logger.isLevelEnabled(level)) logger[level](redactFields(fields), redactText(text));
  };
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    fatal: write('fatal'),
    get level() {
      return logger.level as LoggerOptions['level'];
    },
    set level(level) {
      logger.level = level;
    },
  };
}

/** A log that cannot be written (full disk, closed terminal) must not end the process: its errors are dropped. */
function standardError(): DestinationStream {
  return destination({ dest: 2, sync: true }).on('error', () => undefined);
}

function prettified(output: DestinationStream): DestinationStream {
  const prettify = prettyFactory({ colorize: false, translateTime: 'SYS:HH:MM:ss.l' });
  return { write: (line) => output.write(prettify(line)) };
}
