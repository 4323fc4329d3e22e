/** What stands in the log of `serve`, judged while it is told of what fails around it. */

/** Says that something happened which nobody had thought of. */
const UNEXPECTED = 'A request failed for an unexpected reason';

interface Line {
  readonly level?: unknown;
  readonly event?: unknown;
  readonly reason?: unknown;
  readonly msg?: unknown;
}

/** The lines that are not one clear line each: no JSON, without a message, fatal, or about a fault of our own. */
export function oddLines(log: string): string[] {
  return log
    .split('\n')
    .filter((line) => line !== '')
    .filter((line) => !isClear(line));
}

function isClear(line: string): boolean {
  const parsed = parse(line);
  if (parsed === undefined) return isRemark(line);
  const { level, reason, msg } = parsed;
  return (
    level !== 'fatal' && reason !== 'internal' && typeof msg === 'string' && msg !== '' && msg !== UNEXPECTED
  );
}

/** What commands say to people at the start stands there in words. */
function isRemark(line: string): boolean {
  return line.startsWith('note: ');
}

/** How often each kind of line stands there: its level, and its event with the reason, or its text. */
export function kindsOfLines(log: string): Map<string, number> {
  const counts = new Map<string, number>();
  for (const line of log.split('\n').filter((each) => each !== '')) {
    const { level, event, reason, msg } = parse(line) ?? { msg: line };
    const what = event === undefined ? msg : [event, reason].filter((each) => each !== undefined).join(' ');
    const kind = `${level ?? 'words'}: ${what}`;
    counts.set(kind, (counts.get(kind) ?? 0) + 1);
  }
  return counts;
}

function parse(line: string): Line | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null ? parsed : undefined;
  } catch {
    return undefined;
  }
}
