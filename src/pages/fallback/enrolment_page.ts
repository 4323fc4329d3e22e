import type { Enrolment } from '../../account/enrolment.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { Form } from '../../http/form.ts';
import { Refusal } from '../../matrix/refusals.ts';
import type { FormPages, PageVisit } from '../forms/form_pages.ts';
import { timeText } from '../forms/time_text.ts';
import { turnIn, type Visits } from '../forms/visits.ts';
import { afterSaved, type SetUpPages, type SetUpShown, unlessOver } from '../set_up/set_up_pages.ts';
import { html, htmlIn } from '../shell/html.ts';
import { done, gone } from './last_pages.ts';
import { leadBack, type SeenVisit, SessionVisits, sessionIn } from './session_visits.ts';

/** What stands between the requests of a browser. It holds recovery codes until they are said to be saved. */
export interface EnrolmentVisit {
  readonly setUp?: SetUpShown | undefined;
  /** The codes were said to be saved: the client may have gone on by now. */
  readonly isSaved?: boolean | undefined;
}

/**
 * `…/auth/m.login.2fa.enrol/fallback/web`: the set-up that a sign-in waits for, for clients that do not know its stage.
 * The person with the session has proven the password; the page tells no more of the account than the set-up does. A
 * form is judged once, and answered with a redirect to what it came to.
 */
export class EnrolmentPage {
  private readonly visits: SessionVisits<EnrolmentVisit>;

  constructor(
    private readonly deps: {
      readonly enrolment: Enrolment;
      readonly pages: FormPages;
      readonly setUps: SetUpPages;
    },
    visits: Visits<EnrolmentVisit>,
  ) {
    this.visits = new SessionVisits(visits, {});
  }

  /** `GET`: changes nothing. */
  show(request: ClientRequest): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      const seen = await this.visits.seen(request);
      if (seen?.state.isSaved === true) return done(visit);
      // Whatever the client did meanwhile: nothing else could show the codes again.
      if (seen?.state.setUp?.is === 'codes') return this.step(visit, seen, seen.state.setUp);
      const state = await this.deps.enrolment.stateOf(sessionIn(request));
      if (state === undefined) return gone(visit);
      if (seen === undefined) return visit.fail({ cause: 'unknown' });
      const { setUp = { is: 'offer' } } = seen.state;
      const stands = await this.deps.setUps.settled(sessionIn(request), setUp);
      if (stands.is === 'codes') return this.step(visit, seen, stands);
      if (state.is === 'done') return done(visit);
      const shown = await unlessOver(() => this.step(visit, seen, setUp, state.openedAt));
      return shown ?? gone(visit);
    });
  }

  /** `POST`: the form of one of the steps. */
  submit(request: ClientRequest): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      const form = await visit.readForm();
      const isFirst = turnIn(form) === 0;
      if (isFirst && (await this.deps.enrolment.stateOf(sessionIn(request))) === undefined) {
        return { ...leadBack(request), outcome: { is: 'refused', reason: 'session' } };
      }
      return this.visits.submit(visit, form, async (unhurried, state) => ({
        state: (await unlessOver(() => this.takeStep(unhurried, state, form))) ?? {},
      }));
    });
  }

  private async takeStep(visit: PageVisit, state: EnrolmentVisit, form: Form): Promise<EnrolmentVisit> {
    const session = sessionIn(visit.request);
    const step = form.get('step');
    // Nothing else could show the codes again.
    if (state.setUp?.is === 'codes' && step !== 'saved') return state;
    switch (step) {
      case 'set_up':
        return { setUp: await this.deps.setUps.begin(visit, session, { kind: form.get('kind') }) };
      case 'back':
        return { setUp: { is: 'offer' } };
      case 'set_up_code':
        return { setUp: await this.deps.setUps.takeCode(visit, session, form) };
      case 'saved': {
        const setUp = afterSaved(state.setUp, form);
        return { setUp, isSaved: state.setUp?.is === 'codes' && setUp === undefined };
      }
      default:
        throw new Refusal('invalid_param');
    }
  }

  private async step(
    visit: PageVisit,
    { action, turn }: SeenVisit<EnrolmentVisit>,
    setUp: SetUpShown,
    openedAt?: number,
  ): Promise<Answer> {
    const { say } = visit;
    const about =
      openedAt !== undefined &&
      html`<p>${say('setup.signingIn')} ${htmlIn(say.form('setup.began'), { date: timeText(openedAt, say) })}</p>
<p class="muted">${say('setup.notYou')}</p>`;
    const session = sessionIn(visit.request);
    // Codes are shown whatever became of the session.
    const kinds = setUp.is === 'codes' ? [] : await this.deps.setUps.kindsIn(session);
    const place = { session, action, fields: turn, kinds };
    return this.deps.setUps.show(visit, { ...place, ...(about && { about }) }, setUp);
  }
}
