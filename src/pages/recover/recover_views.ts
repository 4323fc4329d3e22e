import type { RecoveryStanding } from '../../account_recovery/standing.ts';
import type { Answer } from '../../http/answer.ts';
import type { OfferedRecovery, PageRecovery, RecoveryOffer } from '../../login/page_recovery.ts';
import type { PageSignIn } from '../../login/page_sign_in.ts';
import type { PageStanding } from '../../login/page_standing.ts';
import { fieldOf } from '../forms/fields.ts';
import { type PageVisit, titleOf } from '../forms/form_pages.ts';
import type { FormProblems } from '../forms/form_problems.ts';
import { turnField, type Visit } from '../forms/visits.ts';
import { type SetUpPages, unlessOver } from '../set_up/set_up_pages.ts';
import { contactText, type FindContact } from '../shell/contact.ts';
import { RECOVER_PAGE } from '../shell/footer.ts';
import { html } from '../shell/html.ts';
import { claimCard, finishCard, firstCard, offerCard, runningCard, setUpAgainCard } from './recover_cards.ts';
import { cardOf, doneText, notAlone, SCRIPT, said } from './recover_ends.ts';
import { addressOf, type RecoverProblem, type RecoverVisit } from './recover_visit.ts';

/** What was wrong with a claim code, or with its tick. */
const CLAIM_TEXTS = {
  claimWrong: 'recover.claimWrong',
  claimMissing: 'recover.claimMissing',
  claimTickFirst: 'recover.claimTickFirst',
} as const;

export interface RecoverViewsDeps {
  readonly sign: Pick<PageSignIn, 'find' | 'isChanged'>;
  readonly door: PageRecovery | undefined;
  readonly setUp: SetUpPages;
  readonly contact: FindContact;
  readonly problems: FormProblems;
  /** The host that browsers see. */
  readonly host: string;
}

/** Shows where a recovery stands. It changes nothing. */
export class RecoverViews {
  constructor(private readonly deps: RecoverViewsDeps) {}

  /** The first page, whose form opens a visit with this id. */
  first(visit: PageVisit, id: string): Answer {
    return this.credentials(visit, { id, turn: 0, state: { step: 'credentials', name: '' } });
  }

  async of(visit: PageVisit, seen: Visit<RecoverVisit>): Promise<Answer> {
    const { state } = seen;
    if (state.claim !== undefined) return this.claim(visit, seen, state.claim);
    switch (state.step) {
      case 'credentials':
        return this.credentials(visit, seen);
      case 'held':
        return this.held(visit, seen);
      case 'not_alone':
        return notAlone(visit, seen);
      case 'stopped':
        return said(visit, visit.say('recover.stopped'), visit.say('recover.stoppedText'));
      case 'finished':
        return said(visit, visit.say('recover.doneTitle'), doneText(visit, state), {
          href: '/_2fa/account',
          text: visit.say('shell.account'),
        });
      case 'ended':
        return visit.fail({ cause: state.ended ?? 'expired', href: RECOVER_PAGE });
    }
  }

  private credentials(visit: PageVisit, seen: Visit<RecoverVisit>): Answer {
    const { say } = visit;
    const { name, problem } = seen.state;
    const text = this.textOf(visit, problem);
    return visit.render({
      title: titleOf(visit, say('recover.title'), text),
      script: SCRIPT,
      retryAfterMs: this.deps.problems.waitOf(problem),
      body: (tokenField) =>
        firstCard({
          ...cardOf(visit, seen, tokenField),
          ...{ name, field: fieldOf(problem), problem: text, server: this.deps.host },
        }),
    });
  }

  private async held(visit: PageVisit, seen: Visit<RecoverVisit>): Promise<Answer> {
    const { sign, door } = this.deps;
    const { state } = seen;
    const standing = state.held && (await sign.find(state.held.id));
    // Recovery codes are shown until they are said to be saved.
    if (state.setUp !== undefined && (standing !== undefined || state.setUp.is === 'codes')) {
      return (await this.setUp(visit, seen, state.held?.id ?? '')) ?? this.over(visit, state);
    }
    const offer = standing && (await door?.offerFor(visit.request, standing.id));
    if (standing === undefined || offer === undefined) return this.over(visit, state);
    return this.offered(visit, seen, standing, offer);
  }

  private async setUp(
    visit: PageVisit,
    seen: Visit<RecoverVisit>,
    session: string,
  ): Promise<Answer | undefined> {
    const { say } = visit;
    const { haveOthersFailed = false } = seen.state;
    if (seen.state.setUp === undefined) return undefined;
    const setUp = await this.deps.setUp.settled(session, seen.state.setUp);
    const user = seen.state.held?.userId;
    const place = {
      session,
      ...(user !== undefined && { user }),
      action: addressOf(seen.id),
      fields: turnField(seen.turn),
      words: {
        title: say('recover.newAuthenticator'),
        done: say('recover.done'),
        noCodes: say('setup.noCodes'),
      },
      warning: haveOthersFailed ? say('recover.notAlone') : undefined,
      offer: (problem: string | undefined) => this.setUpAgain(visit, seen, problem),
    };
    return unlessOver(() => this.deps.setUp.show(visit, place, setUp));
  }

  /** The set-up has expired, or too many first codes were wrong. */
  private setUpAgain(visit: PageVisit, seen: Visit<RecoverVisit>, problem: string | undefined): Answer {
    return visit.render({
      title: titleOf(visit, visit.say('recover.newAuthenticator'), problem),
      script: SCRIPT,
      body: (tokenField) => setUpAgainCard({ ...cardOf(visit, seen, tokenField), problem }),
    });
  }

  private offered(
    visit: PageVisit,
    seen: Visit<RecoverVisit>,
    { userId }: PageStanding,
    offer: RecoveryOffer,
  ): Answer {
    const { say, server } = visit;
    switch (offer.is) {
      case 'offered':
        return this.offer(visit, seen, userId, offer);
      case 'running':
        return this.running(visit, seen, offer.standing);
      case 'no_factor':
        return said(visit, say('recover.noFactor'), say('recover.noFactorText'));
      case 'too_often': {
        const text = html`${say('recover.tooOftenText')} ${contactText(say, this.deps.contact(), server)}`;
        return said(visit, say('recover.tooOften'), text);
      }
      case 'not_here':
        return said(visit, say('recover.notHere'), contactText(say, this.deps.contact(), server));
    }
  }

  private offer(visit: PageVisit, seen: Visit<RecoverVisit>, userId: string, offer: OfferedRecovery): Answer {
    const { problem } = seen.state;
    const text = this.textOf(visit, problem);
    const atVoucher = problem?.is === 'voucher';
    return visit.render({
      title: titleOf(visit, visit.say('recover.title'), text),
      script: SCRIPT,
      retryAfterMs: this.deps.problems.waitOf(problem),
      body: (tokenField) =>
        offerCard({
          ...cardOf(visit, seen, tokenField),
          ...{
            userId,
            offer,
            voucherProblem: atVoucher ? text : undefined,
            problem: atVoucher ? undefined : text,
          },
        }),
    });
  }

  private running(visit: PageVisit, seen: Visit<RecoverVisit>, standing: RecoveryStanding): Answer {
    const { say } = visit;
    const { problem } = seen.state;
    const text = this.textOf(visit, problem);
    const isOpen = standing.state === 'open';
    const atClaim = problem?.is === 'claimWrong' || problem?.is === 'claimMissing';
    return visit.render({
      title: titleOf(visit, say(isOpen ? 'recover.finishTitle' : 'recover.running'), text),
      script: SCRIPT,
      retryAfterMs: this.deps.problems.waitOf(problem),
      body: (tokenField) => {
        const card = { ...cardOf(visit, seen, tokenField), standing };
        if (!isOpen) return runningCard(card);
        return finishCard({
          ...card,
          claimProblem: atClaim ? text : undefined,
          problem: atClaim ? undefined : text,
        });
      },
    });
  }

  private claim(
    visit: PageVisit,
    seen: Visit<RecoverVisit>,
    claim: NonNullable<RecoverVisit['claim']>,
  ): Answer {
    const text = this.textOf(visit, seen.state.problem);
    return visit.render({
      title: titleOf(visit, visit.say('recover.claimTitle'), text),
      script: SCRIPT,
      body: (tokenField) =>
        claimCard({ ...cardOf(visit, seen, tokenField), claim, server: visit.server, problem: text }),
    });
  }

  private async over(visit: PageVisit, { held }: RecoverVisit): Promise<Answer> {
    const isChanged = held !== undefined && (await this.deps.sign.isChanged(held));
    return visit.fail({ cause: isChanged ? 'changed' : 'expired', href: RECOVER_PAGE });
  }

  private textOf(visit: PageVisit, problem: RecoverProblem | undefined): string | undefined {
    if (problem === undefined) return undefined;
    const { say } = visit;
    switch (problem.is) {
      case 'voucher':
        return say('code.wrongRecovery');
      case 'claimWrong':
      case 'claimMissing':
      case 'claimTickFirst':
        return say(CLAIM_TEXTS[problem.is]);
      default:
        return this.deps.problems.textOf(visit, problem);
    }
  }
}
