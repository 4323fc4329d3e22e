import { redactText } from '../system/redaction.ts';
import { programVersion } from '../system/version.ts';
import { type Check, type Finding, fail, skipped, type Verdict } from './check.ts';
import type { Installation } from './installation.ts';
import { CHECKS } from './list.ts';
import type { PublicView } from './public_view.ts';

/** One check in the report. */
export interface Reported extends Finding {
  readonly id: string;
}

export interface Report {
  readonly version: string;
  /** In ms since the epoch. */
  readonly checked_at: number;
  /** The worst of all. */
  readonly verdict: Verdict;
  /** Every check once, also those that were not asked for. */
  readonly checks: readonly Reported[];
}

/** Which checks are asked for, by id; all of them where `only` is left out. */
export interface Selection {
  readonly only?: readonly string[] | undefined;
  readonly skip?: readonly string[] | undefined;
}

/** Examines an installation from its own machine. */
export function examine(installation: Installation, selection: Selection): Promise<Report> {
  const run = (check: Check) => (check.outside ? check.run(installation) : check.run(installation));
  return report(installation.nowMs(), selection, run);
}

/** Examines what can be seen from elsewhere. */
export function examineOutside(view: PublicView, selection: Selection): Promise<Report> {
  const run = async (check: Check) =>
    check.outside ? check.run(view) : skipped('it needs the configuration: run doctor where serve runs');
  return report(view.nowMs(), selection, run);
}

/** The report on a configuration that cannot be used: nothing else can be tried. */
export function reportUnusable(nowMs: number, file: string, problem: string): Promise<Report> {
  const run = async (check: Check) =>
    check.id === 'config'
      ? fail([`read ${file}`], problem, 'correct it (docs/configure.md)')
      : skipped('the configuration cannot be used (see config)');
  return report(nowMs, {}, run);
}

async function report(
  nowMs: number,
  { only, skip = [] }: Selection,
  run: (check: Check) => Promise<Finding>,
): Promise<Report> {
  const checks = await Promise.all(
    CHECKS.map(async (check) => {
      const isAsked = (only === undefined || only.includes(check.id)) && !skip.includes(check.id);
      const finding = isAsked ? await settled(() => run(check)) : skipped('not asked for');
      return clean(check.id, finding);
    }),
  );
  return { version: programVersion(), checked_at: nowMs, verdict: worst(checks), checks };
}

/** A check that breaks is a finding itself, and the others go on. */
async function settled(run: () => Promise<Finding>): Promise<Finding> {
  try {
    return await run();
  } catch (error) {
    return fail([], `the check could not be made: ${(error as Error).message}`, 'please report this');
  }
}

/** Texts may hold what others wrote: no secret, and nothing that commands a terminal. */
function clean(id: string, { verdict, tried, found, fix }: Finding): Reported {
  return { id, verdict, tried: tried.map(redactText), found: redactText(found), fix: redactText(fix) };
}

function worst(checks: readonly Reported[]): Verdict {
  const verdicts = checks.map(({ verdict }) => verdict);
  return (['fail', 'warn', 'ok'] as const).find((verdict) => verdicts.includes(verdict)) ?? 'skipped';
}

/** For people: two lines a finding, or one if there is none. */
export function inLines({ checks }: Report): string[] {
  const findings = checks.filter(({ verdict }) => verdict === 'fail' || verdict === 'warn');
  if (findings.length > 0) {
    return findings.flatMap(({ id, verdict, found, fix }) => [`${verdict}  ${id}: ${found}`, `      ${fix}`]);
  }
  const fine = checks.filter(({ verdict }) => verdict === 'ok').map(({ id }) => id);
  const left = checks.filter(({ verdict }) => verdict === 'skipped').map(({ id }) => id);
  const skips = left.length === 0 ? '' : `; skipped: ${left.join(', ')}`;
  return [`Nothing found. Checked: ${fine.join(', ') || 'nothing'}${skips}.`];
}
