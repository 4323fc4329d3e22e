import type { Factors } from '../../factors/factors.ts';
import type { FallbackStage, GuardedPage } from '../../guard/guarded_page.ts';
import type { Homeserver } from '../../homeserver/homeserver.ts';
import { relayAnswer } from '../../homeserver/relay.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { SSO_STAGE } from '../../matrix/wire.ts';
import { isSessionId } from '../../uia/session.ts';
import type { FormPages } from '../forms/form_pages.ts';
import type { Visits } from '../forms/visits.ts';
import type { FallbackSteps } from './fallback_steps.ts';
import type { FallbackViews } from './fallback_views.ts';
import type { FallbackVisit } from './fallback_visit.ts';
import { gone } from './last_pages.ts';
import { leadBack, SessionVisits, sessionIn } from './session_visits.ts';

export interface FallbackPageDeps {
  readonly page: GuardedPage;
  readonly pages: FormPages;
  readonly homeserver: Homeserver;
  readonly factors: Factors;
  readonly visits: Visits<FallbackVisit>;
  readonly steps: FallbackSteps;
  readonly views: FallbackViews;
}

/**
 * `…/auth/{stage}/fallback/web`: asks for what a session still lacks, and tells the client that opened the page
 * (client-server API, "Fallback"). A form is judged once and answered with a redirect to what it came to.
 */
export class FallbackPage {
  private readonly visits: SessionVisits<FallbackVisit>;

  constructor(private readonly deps: FallbackPageDeps) {
    this.visits = new SessionVisits(deps.visits, {});
  }

  /** `GET`: changes nothing. @throws Refusal if the page of the homeserver cannot be had */
  async show(stage: FallbackStage, request: ClientRequest): Promise<Answer> {
    this.requireKnown(stage);
    const { page, pages, views } = this.deps;
    const id = sessionIn(request);
    // Our ids begin with m2fa_; single sign-on for another one is the homeserver's.
    if (stage === SSO_STAGE && id !== '' && !isSessionId(id) && !id.startsWith('m2fa_')) {
      return this.homeserversPage(request, request.search);
    }
    const led = stage === SSO_STAGE ? await page.homeserverSession(id) : undefined;
    if (led !== undefined) return this.homeserversPage(request, `?session=${encodeURIComponent(led)}`);
    return pages.visit(request, async (visit) => {
      // First the visit, as the form that is at work on it leaves it: the session is read as it is then.
      const seen = await this.visits.seen(request);
      // A session that has ended no longer says why.
      if (seen?.state.ended !== undefined) return views.ended(visit, seen.state.ended);
      const standing = await page.find(id, stage);
      if (standing === undefined) return gone(visit);
      return seen === undefined ? visit.fail({ cause: 'unknown' }) : views.ask(visit, standing, seen);
    });
  }

  /** `POST`: a code or a password. */
  async submit(stage: FallbackStage, request: ClientRequest): Promise<Answer> {
    this.requireKnown(stage);
    return this.deps.pages.visit(request, async (visit) => {
      const form = await visit.readForm();
      const standing = await this.deps.page.find(sessionIn(request), stage);
      if (standing === undefined) {
        return { ...leadBack(request), outcome: { is: 'refused', reason: 'session' } };
      }
      return this.visits.submit(visit, form, (unhurried, state) =>
        this.deps.steps.take(unhurried, standing, state, form),
      );
    });
  }

  /** @throws Refusal unrecognized if no factor judges this stage */
  private requireKnown(stage: FallbackStage): void {
    if (stage !== SSO_STAGE && this.deps.factors.ofStage(stage) === undefined) {
      throw new Refusal('unrecognized');
    }
  }

  private async homeserversPage(request: ClientRequest, search: string): Promise<Answer> {
    const { path, client, signal } = request;
    return relayAnswer(
      await this.deps.homeserver.call({ method: 'GET', path: path + search, client, signal }),
      {},
    );
  }
}
