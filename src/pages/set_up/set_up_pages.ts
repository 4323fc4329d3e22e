import type { Enrolment, ShownSetUp } from '../../account/enrolment.ts';
import type { Answer } from '../../http/answer.ts';
import type { Form } from '../../http/form.ts';
import { Refusal } from '../../matrix/refusals.ts';
import type { PageRefusal, PageVisit } from '../forms/form_pages.ts';
import { waitText } from '../forms/wait_text.ts';
import { codesCard, offerCard, type SetUpPlace, scanCard } from './set_up_cards.ts';

const SCRIPT = 'forms.js';
const RECOVERY_CODE = /^[0-9a-z]{4}(-[0-9a-z]{4}){2}$/;
/** More codes are in no set. */
const MOST_CODES = 20;

/** The pages of a set-up during a sign-in: offer, secret and first code, recovery codes. They need no script. */
export class SetUpPages {
  constructor(
    private readonly enrolment: Enrolment,
    /** Digits of a TOTP code. */
    private readonly digits: number,
  ) {}

  /** Asks whether to begin. @param problem why it is asked again */
  offer(visit: PageVisit, place: SetUpPlace, problem?: string): Answer {
    const { texts } = visit;
    return visit.render({
      title: texts.setUp.title,
      script: SCRIPT,
      asks: 'enrolment',
      body: (tokenField) => offerCard({ texts, tokenField, place, problem }),
    });
  }

  /** @throws Refusal owes_no_enrolment, unknown_sign_in */
  async begin(visit: PageVisit, place: SetUpPlace): Promise<Answer> {
    const { session } = place;
    const factor = await this.enrolment.kindForPages(session);
    if (factor === undefined) return this.offer(visit, place, visit.texts.setUp.notHere);
    const begun = await this.enrolment.begin(visit.request, { session, factor });
    return this.scan(visit, place, await this.enrolment.shown(session, begun.setup_id));
  }

  /** Judges the first code, and shows the recovery codes. @throws Refusal owes_no_enrolment, unknown_sign_in */
  async takeCode(visit: PageVisit, place: SetUpPlace, form: Form): Promise<Answer> {
    const setupId = form.get('setup_id') ?? '';
    const { session } = place;
    try {
      const { recoveryCodes } = await this.enrolment.confirmTyped(visit.request, {
        session,
        setupId,
        typed: form.get('code') ?? '',
      });
      return this.codes(visit, place, recoveryCodes);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      // Sent twice, or loaded again: the codes were in the answer to the first.
      if (await this.enrolment.isDone(session)) return this.codes(visit, place, []);
      return this.again(visit, place, setupId, error);
    }
  }

  /** The recovery codes once more where they were not said to be saved. Undefined: they are. */
  unsaved(visit: PageVisit, place: SetUpPlace, form: Form): Answer | undefined {
    if (form.has('saved')) return undefined;
    const codes = (form.get('codes') ?? '').split(' ').filter((code) => RECOVERY_CODE.test(code));
    return this.codes(visit, place, codes.slice(0, MOST_CODES), visit.texts.setUp.tickFirst);
  }

  private async again(
    visit: PageVisit,
    place: SetUpPlace,
    setupId: string,
    refusal: Refusal,
  ): Promise<Answer> {
    const problem = problemOf(visit, refusal);
    if (problem === undefined) {
      if (refusal.refusal === 'unknown_setup') return this.offer(visit, place, visit.texts.setUp.expired);
      throw refusal;
    }
    try {
      return this.scan(visit, place, await this.enrolment.shown(place.session, setupId), problem, refusal);
    } catch (error) {
      // It was the last wrong code that a set-up may have.
      if (!(error instanceof Refusal) || error.refusal !== 'unknown_setup') throw error;
      return this.offer(visit, place, visit.texts.setUp.tooMany);
    }
  }

  private scan(
    visit: PageVisit,
    place: SetUpPlace,
    shown: ShownSetUp,
    problem?: string,
    refusal?: PageRefusal,
  ): Answer {
    const { texts } = visit;
    const { digits } = this;
    return visit.render({
      title: texts.setUp.title,
      script: SCRIPT,
      asks: 'enrolment',
      refusal,
      body: (tokenField) => scanCard({ texts, tokenField, place, shown, digits, problem }),
    });
  }

  private codes(visit: PageVisit, place: SetUpPlace, codes: readonly string[], problem?: string): Answer {
    const { texts } = visit;
    return visit.render({
      title: texts.setUp.saveTitle,
      script: SCRIPT,
      body: (tokenField) => codesCard({ texts, tokenField, place, codes, problem }),
    });
  }
}

/** What is told below the field; undefined if the refusal is not about the code. */
function problemOf({ texts }: PageVisit, refusal: Refusal): string | undefined {
  if (refusal.refusal === 'wrong_setup_code') return texts.setUp.wrong;
  if (refusal.refusal === 'missing_param') return texts.problems.missingCode;
  return refusal.status === 429 ? waitText(texts, refusal) : undefined;
}

/** Whether the session is no longer one that waits for a set-up. */
export function isOver(error: unknown): boolean {
  return (
    error instanceof Refusal && (error.refusal === 'unknown_sign_in' || error.refusal === 'owes_no_enrolment')
  );
}
