import type { SessionSetUps, ShownSetUp } from '../../account/session_set_ups.ts';
import type { Answer } from '../../http/answer.ts';
import type { Form } from '../../http/form.ts';
import { Refusal, type RefusalName } from '../../matrix/refusals.ts';
import type { Replaces } from '../../storage/tables/setups.ts';
import { SECOND } from '../../system/clock.ts';
import { type PageVisit, titleOf } from '../forms/form_pages.ts';
import { waitTime } from '../forms/wait_text.ts';
import { codesCard, offerCard, type SetUpPlace, scanCard, wordsOf } from './set_up_cards.ts';

const SCRIPT = 'forms.js';

const PROBLEMS = {
  notHere: 'setup.notHere',
  expired: 'setup.expired',
  tooMany: 'setup.tooMany',
  wrong: 'setup.wrong',
  missing: 'code.missing',
  tickFirst: 'save.tickFirst',
} as const;

/** What was wrong in a step of a set-up. */
export type SetUpProblem =
  | { readonly is: 'notHere' | 'expired' | 'tooMany' | 'wrong' | 'missing' | 'tickFirst' }
  | { readonly is: 'limited'; readonly retryAfterMs: number };

/** The page that a set-up has come to. */
export type SetUpShown = {
  readonly problem?: SetUpProblem | undefined;
} & (
  | { readonly is: 'offer' }
  | { readonly is: 'scan'; readonly setupId: string }
  /** Without codes: they were shown before. */
  | { readonly is: 'codes'; readonly codes: readonly string[] }
);

/** The pages of a set-up during a sign-in: offer, secret and first code, recovery codes. They need no script. */
export class SetUpPages {
  constructor(
    private readonly enrolment: SessionSetUps,
    /** Digits of a TOTP code. */
    private readonly digits: number,
  ) {}

  /** @throws Refusal owes_no_enrolment, unknown_sign_in */
  async begin({ request }: PageVisit, session: string, replaces?: Replaces): Promise<SetUpShown> {
    const factor = await this.enrolment.kindForPages(session);
    if (factor === undefined) return { is: 'offer', problem: { is: 'notHere' } };
    const { setup_id: setupId } = await this.enrolment.begin(request, { session, factor, replaces });
    return { is: 'scan', setupId };
  }

  /** Judges the first code. @throws Refusal owes_no_enrolment, unknown_sign_in */
  async takeCode({ request }: PageVisit, session: string, form: Form): Promise<SetUpShown> {
    const setupId = form.get('setup_id') ?? '';
    const typed = form.get('code') ?? '';
    try {
      const { recoveryCodes } = await this.enrolment.confirmTyped(request, { session, setupId, typed });
      return { is: 'codes', codes: recoveryCodes };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // Sent twice: the codes were in the answer to the first.
      if (await this.enrolment.isDone(session)) return { is: 'codes', codes: [] };
      return this.again(session, setupId, error);
    }
  }

  private async again(session: string, setupId: string, refusal: Refusal): Promise<SetUpShown> {
    const problem = problemOf(refusal);
    if (problem === undefined) {
      if (refusal.refusal === 'unknown_setup') return { is: 'offer', problem: { is: 'expired' } };
      throw refusal;
    }
    try {
      await this.enrolment.shown(session, setupId);
      return { is: 'scan', setupId, problem };
    } catch (error) {
      // It was the last wrong code that a set-up may have.
      if (!(error instanceof Refusal) || error.refusal !== 'unknown_setup') throw error;
      return { is: 'offer', problem: { is: 'tooMany' } };
    }
  }

  /** The page itself. A set-up that is over by now is offered again. @throws Refusal owes_no_enrolment, unknown_sign_in */
  async show(visit: PageVisit, place: SetUpPlace, shown: SetUpShown): Promise<Answer> {
    const problem = shown.problem && problemText(visit, shown.problem);
    if (shown.is === 'codes') return codesPage(visit, place, shown.codes, problem);
    if (shown.is === 'offer') return offerPage(visit, place, problem);
    try {
      const secret = await this.enrolment.shown(place.session, shown.setupId);
      return this.scanPage(visit, place, secret, problem);
    } catch (error) {
      if (!(error instanceof Refusal) || error.refusal !== 'unknown_setup') throw error;
      return offerPage(visit, place, visit.say('setup.expired'));
    }
  }

  private scanPage(
    visit: PageVisit,
    place: SetUpPlace,
    shown: ShownSetUp,
    problem: string | undefined,
  ): Answer {
    const { say, render } = visit;
    const { digits } = this;
    return render({
      title: titleOf(visit, wordsOf(say, place).title, problem),
      script: SCRIPT,
      asks: 'enrolment',
      body: (tokenField) => scanCard({ say, tokenField, place, shown, digits, problem }),
    });
  }
}

/** Asks whether to begin. */
function offerPage(visit: PageVisit, place: SetUpPlace, problem: string | undefined): Answer {
  const { say, render } = visit;
  if (place.offer !== undefined) return place.offer(problem);
  return render({
    title: titleOf(visit, say('setup.owedTitle'), problem),
    script: SCRIPT,
    asks: 'enrolment',
    body: (tokenField) => offerCard({ say, tokenField, place, problem }),
  });
}

function codesPage(
  visit: PageVisit,
  place: SetUpPlace,
  codes: readonly string[],
  problem: string | undefined,
): Answer {
  const { say, render } = visit;
  return render({
    title: titleOf(visit, codes.length === 0 ? wordsOf(say, place).done : say('save.title'), problem),
    script: SCRIPT,
    body: (tokenField) => codesCard({ say, tokenField, place, codes, problem }),
  });
}

/** The codes stay until the tick. */
export function afterSaved(setUp: SetUpShown | undefined, form: Form): SetUpShown | undefined {
  if (setUp?.is !== 'codes' || form.has('saved')) return undefined;
  return { ...setUp, problem: { is: 'tickFirst' } };
}

function problemText({ say }: PageVisit, problem: SetUpProblem): string {
  if (problem.is === 'limited') return say('code.wait', { time: waitTime(say, problem.retryAfterMs) });
  return say(PROBLEMS[problem.is]);
}

/** What is told below the field; undefined if the refusal is not about the code. */
function problemOf(refusal: Refusal): SetUpProblem | undefined {
  if (refusal.refusal === 'wrong_setup_code') return { is: 'wrong' };
  if (refusal.refusal === 'missing_param') return { is: 'missing' };
  if (refusal.status !== 429) return undefined;
  return { is: 'limited', retryAfterMs: refusal.retryAfterMs ?? SECOND };
}

/** What `work` answers; undefined where the session is no longer one that waits for a set-up. */
export async function unlessOver<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Refusal && OVER.includes(error.refusal)) return undefined;
    throw error;
  }
}

const OVER: readonly RefusalName[] = ['unknown_sign_in', 'owes_no_enrolment'];
