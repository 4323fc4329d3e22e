import type { Installation } from './installation.ts';
import type { PublicView } from './public_view.ts';

/** `skipped`: it could not be tried, or there is nothing to try; `found` says why. */
export type Verdict = 'ok' | 'warn' | 'fail' | 'skipped';

/** What a check has found. Its texts may hold what others wrote: the report cleans them. */
export interface Finding {
  readonly verdict: Verdict;
  /** What it did, an entry each: requests, files, questions. */
  readonly tried: readonly string[];
  readonly found: string;
  /** What to change; empty where there is nothing to change. */
  readonly fix: string;
}

interface Described {
  readonly id: string;
  /** What it finds, in a few words, for the help. */
  readonly about: string;
}

/** A check that can be made from elsewhere, without the configuration. */
export interface OutsideCheck extends Described {
  readonly outside: true;
  run(view: PublicView): Promise<Finding>;
}

export interface InsideCheck extends Described {
  readonly outside: false;
  run(installation: Installation): Promise<Finding>;
}

export type Check = OutsideCheck | InsideCheck;

export function ok(tried: readonly string[], found: string): Finding {
  return { verdict: 'ok', tried, found, fix: '' };
}

export function skipped(found: string, fix = ''): Finding {
  return { verdict: 'skipped', tried: [], found, fix };
}

export function warn(tried: readonly string[], found: string, fix: string): Finding {
  return { verdict: 'warn', tried, found, fix };
}

export function fail(tried: readonly string[], found: string, fix: string): Finding {
  return { verdict: 'fail', tried, found, fix };
}

/** `a, b, c and 4 more`: lists stay short enough for a line. */
export function listed(things: readonly string[], most = 3): string {
  if (things.length <= most) return things.join(', ');
  return `${things.slice(0, most).join(', ')} and ${things.length - most} more`;
}
