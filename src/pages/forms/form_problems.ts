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
import { codeProblem, type RefusedCode } from './fields.ts';
import type { PageVisit } from './form_pages.ts';
import { waitTime } from './wait_text.ts';

/** What was wrong with the last form. Times are ms since the epoch. */
export type FormProblem =
  | CredentialProblem
  /** Of a factor alone. */
  | { readonly is: 'refusedAlone' }
  /** Of a code: of which factor, by the field that it stood in. */
  | { readonly is: 'refused' | 'missing' | 'shut'; readonly kind: string }
  | { readonly is: 'wait'; readonly kind: string; readonly until: number };

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
  ofCode(kind: string, refusal: Refusal): FormProblem {
    const { refusal: name, retryAfterMs = SECOND } = refusal;
    return name === 'totp_shut'
      ? { is: 'shut', kind }
      : { is: 'wait', kind, until: this.deps.clock.now() + retryAfterMs };
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
        return codeProblem(visit, this.deps.factors.ofKind(problem.kind), problem.is);
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
      ? { refused: { kind: problem.kind, problem: text }, problem: undefined }
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

/** The kinds that can be given now: one that is shut cannot. */
export function openKinds(kinds: readonly string[], problem: FormProblem | undefined): readonly string[] {
  return problem?.is === 'shut' ? kinds.filter((kind) => kind !== problem.kind) : kinds;
}
