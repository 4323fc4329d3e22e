import type { Factors } from '../../factors/factors.ts';
import type { FallbackStage, FallbackStanding, GuardedPage, ProofOutcome } from '../../guard/guarded_page.ts';
import type { Homeserver } from '../../homeserver/homeserver.ts';
import { relayAnswer } from '../../homeserver/relay.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { SSO_STAGE } from '../../matrix/wire.ts';
import { SECOND } from '../../system/clock.ts';
import { isSessionId } from '../../uia/session_id.ts';
import { codeProblem, type RefusedCode, readSentCode } from '../forms/fields.ts';
import { type PageRefusal, refusedCode } from '../forms/form_page.ts';
import type { FormPages, PageVisit } from '../forms/form_pages.ts';
import { waitText, waitTime } from '../forms/wait_text.ts';
import { html } from '../shell/html.ts';
import { codeCard, doneCard, passwordCard } from './fallback_cards.ts';

const FORM_SCRIPT = 'forms.js';
const DONE_SCRIPT = 'auth_done.js';
const ABOUT = 'about';
const LONGEST_PASSWORD = 4096;

/** What was not accepted, and why. */
type Refused =
  | { readonly asked: 'code'; readonly code: RefusedCode; readonly refusal?: Refusal }
  | { readonly asked: 'password'; readonly problem: string; readonly refusal?: Refusal };

/**
 * `…/auth/{stage}/fallback/web`: asks for what a session still lacks, and tells the client that opened the page
 * (client-server API, "Fallback").
 */
export class FallbackPage {
  constructor(
    private readonly proofs: GuardedPage,
    private readonly pages: FormPages,
    private readonly homeserver: Homeserver,
    private readonly factors: Factors,
    /** Digits of a TOTP code. */
    private readonly digits: number,
  ) {}

  /** `GET`: changes nothing. @throws Refusal if the page of the homeserver cannot be had */
  async show(stage: FallbackStage, request: ClientRequest): Promise<Answer> {
    this.requireKnown(stage);
    const id = sessionIn(request);
    // Our ids begin with m2fa_; single sign-on for another one is the homeserver's.
    if (stage === SSO_STAGE && id !== '' && !isSessionId(id) && !id.startsWith('m2fa_')) {
      return this.homeserversPage(request, request.search);
    }
    const led = stage === SSO_STAGE ? await this.proofs.homeserverSession(id) : undefined;
    if (led !== undefined) return this.homeserversPage(request, `?session=${encodeURIComponent(led)}`);
    return this.pages.visit(request, async (visit) => {
      const standing = await this.proofs.find(id, stage);
      return standing === undefined ? gone(visit) : this.ask(visit, standing);
    });
  }

  /** `POST`: a code or a password. */
  async submit(stage: FallbackStage, request: ClientRequest): Promise<Answer> {
    this.requireKnown(stage);
    return this.pages.visit(request, async (visit) => {
      const form = await visit.readForm();
      const standing = await this.proofs.find(sessionIn(request), stage);
      if (standing === undefined) return gone(visit);
      // Another body was bound since the form was shown: what is approved is what was shown (attack 148).
      if (form.get(ABOUT) !== aboutOf(standing)) return this.ask(visit, standing);
      const password = form.get('password');
      if (password !== undefined) return this.takePassword(visit, standing, password);
      return this.takeCode(visit, standing, readSentCode(form, this.factors));
    });
  }

  /** @throws Refusal unrecognized if no factor judges this stage */
  private requireKnown(stage: FallbackStage): void {
    if (stage !== SSO_STAGE && this.factors.ofStage(stage) === undefined) throw new Refusal('unrecognized');
  }

  private async takeCode(
    visit: PageVisit,
    standing: FallbackStanding,
    { kind, typed }: { readonly kind: string; readonly typed: string },
  ): Promise<Answer> {
    const factor = this.factors.ofKind(kind);
    const refused = (problem: string): Refused => ({ asked: 'code', code: { problem, kind } });
    try {
      const outcome = await this.proofs.submitCode(visit.request, standing, { kind, typed });
      if (outcome.kind === 'missing') {
        const problem = codeProblem(visit, factor, 'missing');
        return this.ask(visit, standing, { ...refused(problem), refusal: new Refusal('missing_param') });
      }
      return await this.answer(visit, outcome, refused(codeProblem(visit, factor, 'refused')));
    } catch (error) {
      if (!(error instanceof Refusal) || error.status !== 429) throw error;
      return this.ask(visit, standing, { ...refused(waitText(visit.say, error)), refusal: error });
    }
  }

  private async takePassword(
    visit: PageVisit,
    standing: FallbackStanding,
    password: string,
  ): Promise<Answer> {
    const refused = (problem: string): Refused => ({ asked: 'password', problem });
    if (password.length > LONGEST_PASSWORD) throw new Refusal('too_large');
    try {
      const outcome = await this.proofs.submitPassword(visit.request, standing, password);
      return await this.answer(visit, outcome, refused(visit.say('approve.wrongPassword')));
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      if (error.refusal === 'unknown_token') return gone(visit);
      if (error.refusal === 'no_password') {
        return this.ask(visit, standing, { ...refused(visit.say('signIn.noPassword')), refusal: error });
      }
      if (error.status !== 429) throw error;
      const time = waitTime(visit.say, error.retryAfterMs ?? SECOND);
      return this.ask(visit, standing, { ...refused(visit.say('signIn.limited', { time })), refusal: error });
    }
  }

  private async answer(visit: PageVisit, outcome: ProofOutcome, refused: Refused): Promise<Answer> {
    if (outcome.kind === 'gone') return gone(visit);
    return this.ask(visit, outcome.standing, outcome.kind === 'refused' ? refused : undefined);
  }

  /** Asks for what is missing; where nothing is, tells the client. */
  private async ask(visit: PageVisit, standing: FallbackStanding, refused?: Refused): Promise<Answer> {
    if (standing.missing === 'nothing') return done(visit);
    const factors = standing.missing === 'code' ? await this.proofs.factorsAsked(standing) : undefined;
    return visit.render({
      title: visit.say('approve.title'),
      refusal: refused && (refused.refusal ?? refusedProof(visit, refused)),
      asks: standing.missing === 'code' ? 'factor' : 'password',
      script: FORM_SCRIPT,
      body: (formToken) => {
        const about = html`<input type="hidden" name="${ABOUT}" value="${aboutOf(standing)}">`;
        const tokenField = html`${formToken}${about}`;
        const { say, language } = visit;
        const listed = this.factors.all;
        const card = { say, language, tokenField, standing, digits: this.digits, listed };
        return factors !== undefined
          ? codeCard({ ...card, ...factors, refused: refused?.asked === 'code' ? refused.code : undefined })
          : passwordCard({ ...card, refused: refused?.asked === 'password' ? refused : undefined });
      },
    });
  }

  private async homeserversPage(request: ClientRequest, search: string): Promise<Answer> {
    const { path, client, signal } = request;
    return relayAnswer(
      await this.homeserver.call({ method: 'GET', path: path + search, client, signal }),
      {},
    );
  }
}

function refusedProof({ request }: PageVisit, { asked }: Refused): PageRefusal {
  if (asked === 'code') return refusedCode(request);
  return { status: 403, outcome: { is: 'refused', reason: 'wrong_password' } };
}

/** Names the body that a form asks for an approval of. */
function aboutOf({ session }: FallbackStanding): string {
  return session.bodyDigest ?? 'nothing';
}

function sessionIn(request: ClientRequest): string {
  return request.query.get('session') ?? '';
}

/** All stages are done. */
export function done({ say, render }: PageVisit): Answer {
  return render({ title: say('approve.done.title'), script: DONE_SCRIPT, body: () => doneCard(say) });
}

/** Unknown, expired, another user's, dead: one page and one status for all (attack 64). */
export function gone({ say, render }: PageVisit): Answer {
  const title = say('approve.expired.title');
  const outcome = { is: 'refused', reason: 'session' } as const;
  return render({
    title: say('shell.error', { title }),
    refusal: { status: 410, outcome },
    body: () => html`<section class="card"><h1>${title}</h1>
<p>${say('approve.expired.text')}</p></section>`,
  });
}
