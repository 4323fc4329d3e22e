import { constants, fstatSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { type DestinationStream, destination, pino } from 'pino';
import type { prettyFactory } from 'pino-pretty';
import type { Log, LogFields } from './log.ts';
import { redactFields, redactText } from './redaction.ts';

const STANDARD_ERROR = 2;

/** What waits in memory for a reader of the log. */
const MOST_WAITING_BYTES = 1024 * 1024;

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
 * @param output where lines go; standard error by default, written at once, so that none is lost at the end
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

/**
 * A log that cannot be written (full disk, closed terminal) must not end the process: its errors are dropped. One that
 * is not read must not stop it (attack 185): pipes and sockets take lines as far as there is room.
 */
function standardError(): DestinationStream {
  const kind = fstatSync(STANDARD_ERROR);
  if (kind.isFIFO()) return bounded(ownEndOfPipe().on('error', () => undefined));
  if (kind.isSocket()) return bounded(process.stderr.on('error', () => undefined));
  return destination({ dest: STANDARD_ERROR, sync: true }).on('error', () => undefined);
}

/**
 * The pipe, opened once more where the system can do so: whether a write waits for the reader is a property that all
 * share who inherited the same end, and some program that we start would make it wait again.
 */
function ownEndOfPipe(): Writable {
  try {
    const fd = openSync(`/proc/self/fd/${STANDARD_ERROR}`, constants.O_WRONLY | constants.O_NONBLOCK);
    return new Socket({ fd, readable: false, writable: true });
  } catch {
    return process.stderr;
  }
}

/** A stream that tells how much it has not written yet. */
interface WaitingStream {
  readonly writableLength: number;
  write(text: string): unknown;
}

/** Drops lines while more than `most` bytes wait to be written, and says how many once there is room again. */
export function bounded(stream: WaitingStream, most = MOST_WAITING_BYTES): DestinationStream {
  let dropped = 0;
  return {
    write: (line) => {
      if (stream.writableLength > most) {
        dropped += 1;
        return;
      }
      if (dropped > 0) {
        const time = new Date().toISOString();
        const msg = 'Lines of the log were lost: it was not read';
        stream.write(`${JSON.stringify({ level: 'warn', time, event: 'log_lost', lines: dropped, msg })}\n`);
        dropped = 0;
      }
      stream.write(line);
    },
  };
}

/** Loaded only where people read the log: it takes longer than the logger itself. */
function prettified(output: DestinationStream): DestinationStream {
  const load = createRequire(import.meta.url);
  const pretty = load('pino-pretty') as { readonly prettyFactory: typeof prettyFactory };
  const prettify = pretty.prettyFactory({ colorize: false, translateTime: 'SYS:HH:MM:ss.l' });
  return { write: (line) => output.write(prettify(line)) };
}
