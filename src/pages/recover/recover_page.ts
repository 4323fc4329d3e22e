import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { Form } from '../../http/form.ts';
import type { PageRecovery } from '../../login/page_recovery.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { hashSessionId } from '../../uia/session.ts';
import type { FormPages, PageVisit } from '../forms/form_pages.ts';
import { seeOther } from '../forms/see_other.ts';
import { turnIn, type Visit, type Visits } from '../forms/visits.ts';
import { RECOVER_PAGE } from '../shell/footer.ts';
import type { RecoverSteps } from './recover_steps.ts';
import type { RecoverViews } from './recover_views.ts';
import { addressOf, type RecoverVisit } from './recover_visit.ts';

export interface RecoverPageDeps {
  readonly pages: FormPages;
  readonly visits: Visits<RecoverVisit>;
  readonly steps: RecoverSteps;
  readonly views: RecoverViews;
  /** Undefined: the operator does not offer it. */
  readonly door: PageRecovery | undefined;
}

/**
 * `/_2fa/recover` (docs/recover.md): the way back into an account whose owner has neither authenticator nor codes. Each
 * form is judged once and answered with a redirect to its visit, as on the sign-in page.
 */
export class RecoverPage {
  constructor(private readonly deps: RecoverPageDeps) {}

  /** `GET`: changes nothing. */
  show(request: ClientRequest): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      this.requireOn();
      const { visits, views } = this.deps;
      const id = request.query.get('v');
      if (id === undefined) return views.first(visit, visits.newId());
      const seen = await visits.find(request, id);
      return seen === undefined ? unknown(visit) : views.of(visit, seen);
    });
  }

  /** `POST`: a form. */
  submit(request: ClientRequest): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      this.requireOn();
      const form = await visit.readForm();
      const id = request.query.get('v') ?? '';
      const taken = await this.take(request, id, turnIn(form));
      if (taken !== undefined) return this.judge(visit, taken, form);
      const isThere = await this.deps.visits.isThere(request, id);
      return isThere ? seeOther(addressOf(id)) : unknown(visit);
    });
  }

  private requireOn(): void {
    if (this.deps.door === undefined) throw new Refusal('unrecognized');
  }

  private take(request: ClientRequest, id: string, turn: number): Promise<Visit<RecoverVisit> | undefined> {
    const { visits } = this.deps;
    return turn === 0
      ? visits.open(request, id, { step: 'credentials', name: '' })
      : visits.take(request, id, turn);
  }

  private async judge(visit: PageVisit, taken: Visit<RecoverVisit>, form: Form): Promise<Answer> {
    const { visits, steps } = this.deps;
    const before = { state: taken.state, held: heldIn(taken.state) };
    const { state, answer, outcome } = await visits.judge(visit, taken, before, (unhurried) =>
      steps.take(unhurried, taken.state, form),
    );
    await visits.keep(taken, { state, held: heldIn(state) });
    return answer ?? { ...seeOther(addressOf(taken.id)), ...(outcome && { outcome }) };
  }
}

function unknown(visit: PageVisit): Answer {
  return visit.fail({ cause: 'expired', href: RECOVER_PAGE });
}

function heldIn({ held }: RecoverVisit) {
  return held === undefined ? undefined : { sessionHash: hashSessionId(held.id), endsAt: held.endsAt };
}
