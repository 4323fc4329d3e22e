import type { Factor } from '../../factors/factor.ts';
import type { Factors } from '../../factors/factors.ts';
import type { Refusal } from '../../matrix/refusals.ts';
import { type Clock, SECOND } from '../../system/clock.ts';
import {
  awayFrom,
  type CredentialProblem,
  credentialsRefused,
  credentialText,
  type RefusedCredentials,
} from './credentials.ts';
import { codeProblem, proofFieldOf, type RefusedCode } from './fields.ts';
import type { PageVisit } from './form_pages.ts';
import { waitTime } from './time_text.ts';

/** What was wrong with the last form. Times are ms since the epoch. */
export type FormProblem =
  | CredentialProblem
  /** A sign-in by a factor alone was refused. */
  | { readonly is: 'refusedAlone' }
  /** A code was refused or is missing: the name of its field. */
  | { readonly is: 'refused' | 'missing'; readonly field: string }
  | { readonly is: 'shut'; readonly field: string }
  | { readonly is: 'wait'; readonly until: number };

/** How a page tells of a problem with a code. */
export interface ToldProblem {
  /** At the field. */
  readonly refused: RefusedCode | undefined;
  /** Above the forms. */
  readonly problem: string | undefined;
}

/** What goes wrong in the same way, and is told in the same words, on each page that asks for a password and a factor. */
export class FormProblems {
  constructor(
    private readonly deps: {
      readonly factors: Factors;
      readonly clock: Clock;
    },
  ) {}

  /** Why a code was not looked at. */
  ofCode(field: string, refusal: Refusal): FormProblem {
    const { refusal: name, retryAfterMs = SECOND } = refusal;
    return name === 'codes_shut'
      ? { is: 'shut', field }
      : { is: 'wait', until: this.deps.clock.now() + retryAfterMs };
  }

  /** Why a password was refused, or not judged. @throws the error, if no form tells of it */
  ofPassword(error: unknown): RefusedCredentials {
    const refused = credentialsRefused(error, this.deps.clock.now());
    if (refused === undefined) throw error;
    return refused;
  }

  /** The homeserver is away: the form is shown again. @throws the error, if it is not that */
  ofServer(error: unknown): RefusedCredentials {
    const refused = awayFrom(error);
    if (refused === undefined) throw error;
    return refused;
  }

  textOf(visit: PageVisit, problem: FormProblem): string {
    const { say } = visit;
    switch (problem.is) {
      case 'wait':
        return say('code.wait', { time: waitTime(say, this.leftUntil(problem.until)) });
      case 'shut':
        return say('code.shut');
      case 'refused':
      case 'missing':
        return codeProblem(visit, this.deps.factors, problem);
      case 'refusedAlone':
        return say('signIn.passkeyRefused');
      default:
        return credentialText(visit, problem, this.waitOf(problem) ?? 0);
    }
  }

  /** What a page that asks for a code tells, and where. */
  told(visit: PageVisit, problem: FormProblem | undefined): ToldProblem {
    if (problem === undefined) return { refused: undefined, problem: undefined };
    const text = this.textOf(visit, problem);
    return problem.is === 'refused' || problem.is === 'missing'
      ? { refused: { field: problem.field, problem: text }, problem: undefined }
      : { refused: undefined, problem: text };
  }

  /** How long the reader has to wait; undefined where that is not the problem. */
  waitOf(problem: { readonly is: string; readonly until?: number } | undefined): number | undefined {
    return problem?.until === undefined ? undefined : this.leftUntil(problem.until);
  }

  leftUntil(until: number): number {
    return Math.max(0, until - this.deps.clock.now());
  }
}

/** The factors that can be given now: those of a field that is shut cannot. */
export function openFactors(factors: readonly Factor[], problem: FormProblem | undefined): readonly Factor[] {
  return problem?.is === 'shut'
    ? factors.filter((factor) => proofFieldOf(factor) !== problem.field)
    : factors;
}
