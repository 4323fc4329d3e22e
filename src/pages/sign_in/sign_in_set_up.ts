import type { Answer } from '../../http/answer.ts';
import type { Form } from '../../http/form.ts';
import type { PageDoor, PageStanding } from '../../login/page_door.ts';
import type { Language } from '../../system/languages.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import type { SetUpPlace } from '../set_up/set_up_cards.ts';
import { isOver, type SetUpPages } from '../set_up/set_up_pages.ts';
import { html } from '../shell/html.ts';
import { ACTION } from './sign_in_cards.ts';
import { ended } from './sign_in_problems.ts';

/** The set-up that comes before a sign-in goes on, or that is offered in it. */
export class SignInSetUp {
  constructor(
    private readonly door: PageDoor,
    private readonly pages: SetUpPages,
  ) {}

  offer(visit: PageVisit, standing: PageStanding): Answer {
    return this.pages.offer(visit, placeOf(visit, standing));
  }

  /** Takes the form of one of its steps. Undefined: the sign-in goes on. */
  async take(visit: PageVisit, form: Form, standing: PageStanding): Promise<Answer | undefined> {
    try {
      return await this.takeStep(visit, form, standing);
    } catch (error) {
      if (!isOver(error)) throw error;
      return ended(visit);
    }
  }

  private async takeStep(visit: PageVisit, form: Form, standing: PageStanding): Promise<Answer | undefined> {
    const step = form.get('step');
    if (step === 'set_up') return this.begin(visit, standing);
    if (step === 'set_up_code') return this.pages.takeCode(visit, placeOf(visit, standing), form);
    // What is owed cannot wait, whatever the form says.
    if (standing.setUp?.is === 'wanted') return this.offer(visit, standing);
    return step === 'saved' ? this.pages.unsaved(visit, placeOf(visit, standing), form) : undefined;
  }

  private async begin(visit: PageVisit, standing: PageStanding): Promise<Answer> {
    const isOffered = standing.setUp?.is === 'offered';
    const wanted = isOffered ? await this.door.withSetUp(visit.request, standing.id) : standing;
    return wanted === undefined ? ended(visit) : this.pages.begin(visit, placeOf(visit, wanted));
  }
}

function placeOf({ language }: PageVisit, { id, setUp }: PageStanding): SetUpPlace {
  return {
    session: id,
    action: ACTION,
    fields: html`<input type="hidden" name="sign_in" value="${id}">`,
    until: setUp?.is === 'offered' ? dateText(setUp.deadlineTs, language) : undefined,
  };
}

/** In UTC: the server does not know the reader's time zone. */
function dateText(at: number, language: Language): string {
  const format = { dateStyle: 'medium', timeStyle: 'short', timeZone: 'UTC' } as const;
  return new Intl.DateTimeFormat(language, format).format(at);
}
