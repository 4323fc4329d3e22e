import type { Enrolment } from '../../account/enrolment.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { Form } from '../../http/form.ts';
import { Refusal } from '../../matrix/refusals.ts';
import type { FormPages, PageVisit } from '../forms/form_pages.ts';
import { timeText } from '../forms/time_text.ts';
import type { SetUpPlace } from '../set_up/set_up_cards.ts';
import { type SetUpPages, unlessOver, unsavedIn } from '../set_up/set_up_pages.ts';
import { html } from '../shell/html.ts';
import { done, gone } from './fallback_page.ts';

/**
 * `…/auth/m.login.2fa.enrol/fallback/web`: the set-up that a sign-in waits for, for clients that do not know its stage.
 * Who has the session has proven the password to it; the page tells no more of the account than the set-up does.
 */
export class EnrolmentPage {
  constructor(
    private readonly enrolment: Enrolment,
    private readonly pages: FormPages,
    private readonly setUps: SetUpPages,
  ) {}

  /** `GET`: changes nothing. */
  show(request: ClientRequest): Promise<Answer> {
    return this.pages.visit(request, (visit) => this.ask(visit));
  }

  /** `POST`: the form of one of the steps. */
  submit(request: ClientRequest): Promise<Answer> {
    return this.pages.visit(request, async (visit) => {
      const form = await visit.readForm();
      const place = { session: sessionIn(visit) };
      const shown = await unlessOver(() => this.takeStep(visit, place, form));
      return shown ?? this.ask(visit);
    });
  }

  private async takeStep(visit: PageVisit, place: SetUpPlace, form: Form): Promise<Answer> {
    switch (form.get('step')) {
      case 'set_up':
        return this.setUps.show(visit, place, await this.setUps.begin(visit, place.session));
      case 'set_up_code':
        return this.setUps.show(visit, place, await this.setUps.takeCode(visit, place.session, form));
      case 'saved': {
        const unsaved = unsavedIn(form);
        return unsaved === undefined ? this.ask(visit) : this.setUps.show(visit, place, unsaved);
      }
      default:
        throw new Refusal('invalid_param');
    }
  }

  private async ask(visit: PageVisit): Promise<Answer> {
    const id = sessionIn(visit);
    const state = await this.enrolment.stateOf(id);
    if (state === undefined) return gone(visit);
    if (state.is === 'done') return done(visit);
    const { say } = visit;
    const about = html`<p>${say('setup.signingIn')} ${timeText(state.openedAt, say)}</p><p class="muted">${say('setup.notYou')}</p>`;
    const place: SetUpPlace = { session: id, about };
    return this.setUps.show(visit, place, { is: 'offer' });
  }
}

function sessionIn({ request }: PageVisit): string {
  return request.query.get('session') ?? '';
}
