import type { SessionSetUps, SetUpKind, ShownSetUp } from '../../account/session_set_ups.ts';
import type { Answer } from '../../http/answer.ts';
import type { Form } from '../../http/form.ts';
import { Refusal, type RefusalName } from '../../matrix/refusals.ts';
import type { Replaces } from '../../storage/tables/setups.ts';
import { SECOND } from '../../system/clock.ts';
import { type PageVisit, titleOf } from '../forms/form_pages.ts';
import { waitTime } from '../forms/time_text.ts';
import { fill } from '../texts/texts.ts';
import { codesCard, offerCard, passkeyCard, type SetUpPlace, scanCard, wordsOf } from './set_up_cards.ts';

const SCRIPT = 'forms.js';
const NOT_IN_NAMES = /[\p{Cc}\p{Cs}\p{Bidi_Control}\u2028\u2029]/gu;
const LONGEST_NAME = 100;

const PROBLEMS = {
  notHere: 'setup.notHere',
  expired: 'setup.expired',
  tooMany: 'setup.tooMany',
  wrong: 'setup.wrong',
  missing: 'code.missing',
  tickFirst: 'save.tickFirst',
} as const;

/** The same of a passkey. */
const PASSKEY_PROBLEMS = {
  ...PROBLEMS,
  wrong: 'setup.passkeyRefused',
  missing: 'setup.passkeyFailed',
} as const;

/** What was wrong in a step of a set-up. */
export type SetUpProblem =
  | { readonly is: 'notHere' | 'expired' | 'tooMany' | 'wrong' | 'missing' | 'tickFirst' }
  | { readonly is: 'limited'; readonly retryAfterMs: number };

/** What a person chose on a page. */
export interface WantedOnPage {
  /** One that they may not have, or none: the first that they may. */
  readonly kind?: string | undefined;
  readonly replaces?: Replaces | undefined;
}

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
  constructor(private readonly enrolment: SessionSetUps) {}

  /** @throws Refusal owes_no_enrolment, unknown_sign_in */
  async begin(
    { request }: PageVisit,
    session: string,
    { kind, replaces }: WantedOnPage = {},
  ): Promise<SetUpShown> {
    const kinds = await this.enrolment.kindsIn(session);
    const factor = (kinds.find((each) => each.kind === kind) ?? kinds[0])?.kind;
    if (factor === undefined) return { is: 'offer', problem: { is: 'notHere' } };
    const { setup_id: setupId } = await this.enrolment.begin(request, { session, factor, replaces });
    return { is: 'scan', setupId };
  }

  /** What a user may choose from. */
  kindsFor(userId: string): Promise<readonly SetUpKind[]> {
    return this.enrolment.kindsForPages(userId);
  }

  /** The same in a sign-in. @throws Refusal owes_no_enrolment, unknown_sign_in */
  kindsIn(session: string): Promise<readonly SetUpKind[]> {
    return this.enrolment.kindsIn(session);
  }

  /** Judges the first code, or the new passkey. @throws Refusal owes_no_enrolment, unknown_sign_in */
  async takeCode({ request }: PageVisit, session: string, form: Form): Promise<SetUpShown> {
    const setupId = form.get('setup_id') ?? '';
    const sent = form.get('credential') ?? form.get('code') ?? '';
    try {
      const { recoveryCodes } = await this.enrolment.confirmSent(request, {
        session,
        setupId,
        sent,
        name: nameIn(form),
      });
      return { is: 'codes', codes: recoveryCodes };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // Sent twice: the codes were in the answer to the first.
      if (await this.isDone(session)) return { is: 'codes', codes: [] };
      return this.again(session, setupId, error);
    }
  }

  /**
   * Where a set-up stands. Where a process died as soon as it had confirmed one, the visit does not say so: it is done,
   * and no one has seen its codes.
   */
  async settled(session: string, shown: SetUpShown): Promise<SetUpShown> {
    return shown.is === 'scan' && (await this.isDone(session)) ? { is: 'codes', codes: [] } : shown;
  }

  private async isDone(session: string): Promise<boolean> {
    return (await this.enrolment.stateOf(session))?.is === 'done';
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
    const { problem } = shown;
    const text = problem && problemText(visit, problem, PROBLEMS);
    if (shown.is === 'codes') return codesPage(visit, place, shown.codes, text);
    if (shown.is === 'offer') return offerPage(visit, place, text);
    try {
      return begunPage(visit, place, await this.enrolment.shown(place.session, shown.setupId), problem);
    } catch (error) {
      if (!(error instanceof Refusal) || error.refusal !== 'unknown_setup') throw error;
      return offerPage(visit, place, visit.say('setup.expired'));
    }
  }
}

/** The secret, or the question of the browser, with what was wrong with the last answer to it. */
function begunPage(
  visit: PageVisit,
  place: SetUpPlace,
  shown: ShownSetUp,
  problem: SetUpProblem | undefined,
): Answer {
  const { say, render } = visit;
  const text = problem && problemText(visit, problem, shown.is === 'secret' ? PROBLEMS : PASSKEY_PROBLEMS);
  const card = { say, place, problem: text };
  return render({
    title: titleOf(visit, wordsOf(say, place).title, text),
    script: SCRIPT,
    asks: 'enrolment',
    body: (tokenField) =>
      shown.is === 'secret'
        ? scanCard({ ...card, tokenField, shown })
        : passkeyCard({ ...card, tokenField, shown }),
  });
}

/** Asks whether to begin. */
function offerPage(visit: PageVisit, place: SetUpPlace, problem: string | undefined): Answer {
  const { say, render } = visit;
  if (place.offer !== undefined) return place.offer(problem);
  // Where nothing can be set up here, no button leads to saying so.
  const told = (place.kinds ?? []).length === 0 ? say('setup.notHere') : problem;
  return render({
    title: titleOf(visit, say('setup.owedTitle'), told),
    script: SCRIPT,
    asks: 'enrolment',
    body: (tokenField) => offerCard({ say, tokenField, place, problem: told }),
  });
}

function codesPage(
  visit: PageVisit,
  place: SetUpPlace,
  codes: readonly string[],
  problem: string | undefined,
): Answer {
  const { say, render, server } = visit;
  const { user } = place;
  const sheet = user && fill(say.form('save.sheet'), { user, server });
  return render({
    title: titleOf(visit, codes.length === 0 ? wordsOf(say, place).title : say('save.title'), problem),
    script: SCRIPT,
    body: (tokenField) => codesCard({ say, tokenField, place, codes, sheet, problem }),
  });
}

/** The codes stay until the tick. */
export function afterSaved(setUp: SetUpShown | undefined, form: Form): SetUpShown | undefined {
  if (setUp?.is !== 'codes' || form.has('saved')) return undefined;
  return { ...setUp, problem: { is: 'tickFirst' } };
}

/** What stands in names nowhere (`schemas/name.json`) is left out. */
function nameIn(form: Form): string | undefined {
  const name = (form.get('name') ?? '').replaceAll(NOT_IN_NAMES, '').trim().slice(0, LONGEST_NAME);
  return name === '' ? undefined : name;
}

function problemText(
  { say }: PageVisit,
  problem: SetUpProblem,
  texts: typeof PROBLEMS | typeof PASSKEY_PROBLEMS,
): string {
  if (problem.is === 'limited') return say('code.wait', { time: waitTime(say, problem.retryAfterMs) });
  return say(texts[problem.is]);
}

/** What is told at the first proof; undefined if the refusal is not about it. */
function problemOf(refusal: Refusal): SetUpProblem | undefined {
  if (refusal.refusal === 'wrong_setup_code') return { is: 'wrong' };
  if (refusal.refusal === 'missing_param' || refusal.refusal === 'bad_json') return { is: 'missing' };
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

const OVER: readonly RefusalName[] = ['unknown_sign_in', 'owes_no_enrolment', 'recovery_over'];
