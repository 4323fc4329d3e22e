import type { Factors } from '../../factors/factors.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { Form } from '../../http/form.ts';
import type { PageDoor, PageStanding } from '../../login/page_door.ts';
import { Refusal } from '../../matrix/refusals.ts';
import { codeProblem, type RefusedCode, readSentCode } from '../forms/fields.ts';
import { type FormPages, type PageVisit, refusedCode } from '../forms/form_pages.ts';
import type { KnownBrowser } from '../forms/known_browser.ts';
import { waitText } from '../forms/wait_text.ts';
import type { Html } from '../shell/html.ts';
import type { AccountEntry } from './account_entry.ts';
import type { OfferedProvider } from './offered_providers.ts';
import type { ProviderRounds } from './provider_rounds.ts';
import { type RedirectTarget, type RedirectTargets, withLoginToken } from './redirect_targets.ts';
import { codeCard, confirmationCard, credentialsCard, type RefusedCredentials } from './sign_in_cards.ts';
import { badRedirect, ended } from './sign_in_problems.ts';
import type { SignInSetUp } from './sign_in_set_up.ts';

const SCRIPT = 'forms.js';
/** No user id is longer (appendices, "User Identifiers"); e-mail addresses and passwords are allowed more. */
const LONGEST_NAME = 320;
const LONGEST_PASSWORD = 4096;

export interface SignInPageSettings {
  /** Whether the operator offers this page. */
  readonly offered: boolean;
  /** Digits of a TOTP code. */
  readonly digits: number;
  readonly factors: Factors;
  readonly setUp: SignInSetUp;
  readonly entry: AccountEntry;
}

/** What the first card of the account page has besides the form. */
export interface FirstCard {
  readonly notice: Html | undefined;
  readonly providers: readonly OfferedProvider[];
}

/** `/_2fa/login` (spec/login.md): password, code, confirmation, and back to the client with a login token. */
export class SignInPage {
  constructor(
    private readonly door: PageDoor,
    private readonly pages: FormPages,
    private readonly targets: RedirectTargets,
    private readonly rounds: ProviderRounds,
    private readonly browsers: KnownBrowser,
    private readonly settings: SignInPageSettings,
  ) {}

  /** `GET`: changes nothing. */
  show(request: ClientRequest): Promise<Answer> {
    return this.pages.visit(request, (visit) => {
      this.requireOffered();
      const target = this.targets.read(request.query.get('redirectUrl'));
      return target === undefined ? badRedirect(visit) : this.askCredentials(visit, target);
    });
  }

  /** The first card of the account page. */
  accountCard(visit: PageVisit, tokenField: Html, first: FirstCard): Html {
    const { texts, say } = visit;
    const target = this.targets.account(visit.request.search);
    return credentialsCard({ texts, say, tokenField, target, refused: undefined, ...first });
  }

  /**
   * `POST`: the form of one of the three steps.
   * @param isAccount it came to the account page, which is there whether or not the sign-in page is offered to clients
   */
  submit(request: ClientRequest, isAccount = false): Promise<Answer> {
    return this.pages.visit(request, async (visit) => {
      if (!isAccount) this.requireOffered();
      const form = await visit.readForm();
      switch (form.get('step')) {
        case 'credentials':
          return this.takeCredentials(visit, form, isAccount);
        case 'code':
          return this.takeCode(visit, form);
        case 'set_up':
        case 'set_up_code':
        case 'later':
        case 'saved':
          return this.takeSetUp(visit, form);
        case 'confirmation':
          return this.finish(visit, form.get('sign_in') ?? '');
        default:
          throw new Refusal('invalid_param');
      }
    });
  }

  private requireOffered(): void {
    if (!this.settings.offered) throw new Refusal('unrecognized');
  }

  private async takeCredentials(visit: PageVisit, form: Form, isAccount: boolean): Promise<Answer> {
    const target = this.targets.read(form.get('redirectUrl'));
    if (target === undefined || (isAccount && target.kind !== 'account')) return badRedirect(visit);
    const name = (form.get('user') ?? '').trim();
    const password = form.get('password') ?? '';
    if (name === '' || password === '' || name.length > LONGEST_NAME || password.length > LONGEST_PASSWORD) {
      return this.refuseCredentials(visit, target, name, new Refusal('login_refused'));
    }
    try {
      const browser = this.browsers.keptBy(visit.request);
      const credentials = { name, password, browser, redirectUrl: target.href };
      const standing = await this.door.begin(visit.request, credentials);
      return await this.goOn(visit, standing, target);
    } catch (error) {
      if (!isAnsweredInPlace(error)) throw error;
      return this.refuseCredentials(visit, target, name, error);
    }
  }

  private async takeCode(visit: PageVisit, form: Form): Promise<Answer> {
    const id = form.get('sign_in') ?? '';
    const { factors } = this.settings;
    const { kind, typed } = readSentCode(form, factors);
    try {
      const browser = this.browsers.valueFor(visit.request);
      const outcome = await this.door.submitCode(visit.request, id, { code: typed, kind, browser });
      const target = this.targets.read(outcome?.standing.redirectUrl);
      if (outcome === undefined || target === undefined) return ended(visit);
      if (outcome.kind === 'accepted') {
        return this.browsers.kept(browser, await this.goOn(visit, outcome.standing, target));
      }
      const problem = codeProblem(visit, factors.ofKind(kind), outcome.kind);
      const refusal = outcome.kind === 'missing' ? new Refusal('missing_param') : undefined;
      return this.askCode(visit, outcome.standing, target, { problem, typed, kind }, refusal);
    } catch (error) {
      const standing = isAnsweredInPlace(error) ? await this.door.find(id) : undefined;
      const target = this.targets.read(standing?.redirectUrl);
      if (standing === undefined || target === undefined || !isAnsweredInPlace(error)) throw error;
      const problem = waitText(visit.texts, error);
      return this.askCode(visit, standing, target, { problem, typed, kind }, error);
    }
  }

  /** A step of the set-up that comes before the sign-in goes on, or is offered in it. */
  private async takeSetUp(visit: PageVisit, form: Form): Promise<Answer> {
    const standing = await this.door.find(form.get('sign_in') ?? '');
    const target = this.targets.read(standing?.redirectUrl);
    if (standing === undefined || target === undefined) return ended(visit);
    const { setUp } = this.settings;
    return (await setUp.take(visit, form, standing)) ?? this.passOn(visit, standing, target);
  }

  /** What comes next after the password, or the provider, was right. */
  async goOn(visit: PageVisit, standing: PageStanding, target: RedirectTarget): Promise<Answer> {
    if (standing.setUp !== undefined) return this.settings.setUp.offer(visit, standing);
    return this.passOn(visit, standing, target);
  }

  private async passOn(visit: PageVisit, standing: PageStanding, target: RedirectTarget): Promise<Answer> {
    if (standing.codeWanted) return this.askCode(visit, standing, target, undefined);
    if (target.kind === 'account') return this.enter(visit, standing.id, target);
    // After a sign-in with a recovery code the page says first what to do about the lost phone.
    const mayPass = standing.recoveryCodesLeft === undefined && this.targets.isListed(target);
    return mayPass ? this.finish(visit, standing.id) : this.askConfirmation(visit, standing, target);
  }

  private async enter(visit: PageVisit, id: string, target: RedirectTarget): Promise<Answer> {
    const deviceName = visit.say('account.deviceName');
    return (await this.settings.entry.enter(visit.request, id, { target, deviceName })) ?? ended(visit);
  }

  /** The target is the one that the sign-in began with, whatever the last form says (attack 69). */
  private async finish(visit: PageVisit, id: string): Promise<Answer> {
    const begunFor = this.targets.read((await this.door.find(id))?.redirectUrl);
    if (begunFor?.kind === 'account') return this.enter(visit, id, begunFor);
    const ticket = await this.door.issueTicket(visit.request, id);
    if (ticket?.kind === 'provider') return this.rounds.again(visit.request, ticket.provider, id);
    const target = this.targets.read(ticket?.redirectUrl);
    if (ticket === undefined || target === undefined) return ended(visit);
    return backToClient(target, ticket.loginToken);
  }

  private askCredentials(visit: PageVisit, target: RedirectTarget, refused?: RefusedCredentials): Answer {
    const { texts, say } = visit;
    return visit.render({
      title: target.kind === 'account' ? say('account.title') : texts.signIn.title,
      refusal: refused?.refusal,
      script: SCRIPT,
      body: (tokenField) => credentialsCard({ texts, say, tokenField, target, refused }),
    });
  }

  private refuseCredentials(
    visit: PageVisit,
    target: RedirectTarget,
    name: string,
    refusal: Refusal,
  ): Answer {
    const { texts } = visit;
    const problem = refusal.status === 429 ? waitText(texts, refusal) : texts.problems.wrongPassword;
    return this.askCredentials(visit, target, { problem, name, refusal });
  }

  private askCode(
    visit: PageVisit,
    standing: PageStanding,
    target: RedirectTarget,
    refused: RefusedCode | undefined,
    refusal?: Refusal,
  ): Answer {
    const { texts, say, language } = visit;
    const { digits } = this.settings;
    return visit.render({
      title: texts.signIn.codeTitle,
      refusal: refusal ?? (refused && refusedCode(visit.request)),
      asks: 'factor',
      script: SCRIPT,
      body: (tokenField) => codeCard({ texts, say, language, tokenField, target, standing, digits, refused }),
    });
  }

  private askConfirmation(visit: PageVisit, standing: PageStanding, target: RedirectTarget): Answer {
    const { texts, say } = visit;
    return visit.render({
      title: texts.signIn.confirmTitle,
      script: SCRIPT,
      body: (tokenField) => confirmationCard({ texts, say, tokenField, target, standing }),
    });
  }
}

/** What the form itself tells, so that nothing has to be typed again. */
function isAnsweredInPlace(error: unknown): error is Refusal {
  return error instanceof Refusal && (error.refusal === 'login_refused' || error.status === 429);
}

/** Sends the browser back to its client. */
export function backToClient(target: RedirectTarget, loginToken: string): Answer {
  return {
    status: 303,
    headers: {
      Location: withLoginToken(target, loginToken),
      'Referrer-Policy': 'no-referrer',
      'Content-Type': 'text/plain',
    },
    sameOrigin: true,
    body: Buffer.alloc(0),
  };
}
