import type { Replacement } from '../../account/replacement.ts';
import type { Answer } from '../../http/answer.ts';
import type { Form } from '../../http/form.ts';
import type { PageSignIn } from '../../login/page_sign_in.ts';
import type { PageStanding } from '../../login/page_standing.ts';
import type { Replaces } from '../../storage/tables/setups.ts';
import { type PageVisit, titleOf } from '../forms/form_pages.ts';
import type { SetUpPlace } from '../set_up/set_up_cards.ts';
import { afterSaved, type SetUpPages, unlessOver } from '../set_up/set_up_pages.ts';
import type { Html } from '../shell/html.ts';
import { replaceCard } from './replace_card.ts';
import type { ShownReplacement, SignInVisit } from './sign_in_visit.ts';

/** Where the forms of a page go, and where its visit stands. */
export interface ReplaceForms {
  readonly action: string;
  readonly fields: Html;
}

/**
 * `/_2fa/login/replace` (spec/login.md): after a recovery code the lost authenticator is replaced within the sign-in,
 * before it goes on. Given up, it has changed nothing.
 */
export class SignInReplace {
  constructor(
    private readonly door: PageSignIn,
    private readonly pages: SetUpPages,
    private readonly replacement: Replacement,
  ) {}

  /** Whether this sign-in may replace something. */
  async isOffered(standing: PageStanding): Promise<boolean> {
    return (await this.replacement.offerFor(standing.id)) !== undefined;
  }

  /** The page that it has come to. Undefined: there is nothing to replace in this sign-in. */
  async show(
    visit: PageVisit,
    { replacement }: SignInVisit,
    standing: PageStanding,
    forms: ReplaceForms,
  ): Promise<Answer | undefined> {
    const { shown } = replacement ?? { shown: { is: 'offer' } as const };
    const { id: session, userId: user } = standing;
    const words = this.wordsOf(visit, replacement);
    if (shown.is === 'codes') return this.pages.show(visit, { session, user, ...forms, ...words }, shown);
    const offered = await this.replacement.offerFor(session);
    if (offered === undefined) return undefined;
    const place = { session, user, ...forms, ...words, kinds: offered.kinds };
    const offer = (problem: string | undefined) =>
      visit.render({
        title: titleOf(visit, visit.say('replace.title'), problem),
        script: 'forms.js',
        body: (tokenField) => replaceCard({ ...visit, ...forms, tokenField, offered, problem }),
      });
    return unlessOver(() => this.pages.show(visit, { ...place, offer }, shown));
  }

  private wordsOf(
    { say }: PageVisit,
    replacement: ShownReplacement | undefined,
  ): Pick<SetUpPlace, 'words' | 'warning'> {
    const noCodes = replacement?.isAll === true ? say('setup.noCodes') : say('setup.codesKept');
    return {
      words: { title: say('replace.title'), done: say('setup.doneReplaced'), noCodes },
      warning: replacement?.haveOthersFailed === true ? say('replace.othersFailed') : undefined,
    };
  }

  /** Takes the form of one of its steps. Undefined: the sign-in has ended, or its factors were changed. */
  take(
    visit: PageVisit,
    state: SignInVisit,
    standing: PageStanding,
    form: Form,
  ): Promise<SignInVisit | undefined> {
    return unlessOver(() => this.takeStep(visit, state, standing, form));
  }

  private async takeStep(
    visit: PageVisit,
    state: SignInVisit,
    standing: PageStanding,
    form: Form,
  ): Promise<SignInVisit> {
    const { replacement } = state;
    const step = form.get('step');
    if (replacement?.shown.is === 'codes') {
      const shown = step === 'saved' ? afterSaved(replacement.shown, form) : replacement.shown;
      return { ...state, isReplaced: true, replacement: shown && { ...replacement, shown } };
    }
    if (step === 'replace') {
      return { ...state, replacement: await this.begin(visit, standing, form) };
    }
    if (replacement !== undefined && step === 'back') {
      return { ...state, replacement: { ...replacement, shown: { is: 'offer' } } };
    }
    if (replacement === undefined || step !== 'set_up_code') return state;
    return { ...state, replacement: await this.takeCode(visit, replacement, standing, form) };
  }

  /** Where the form does not say what is lost, it is asked for once more. */
  private async begin(visit: PageVisit, { id }: PageStanding, form: Form): Promise<ShownReplacement> {
    const authenticators = (await this.replacement.offerFor(id))?.authenticators ?? [];
    const wanted = form.get('replaces') ?? '';
    const isAll = wanted === 'all' || authenticators.length === 1;
    const chosen = { isAll, endsOthers: form.has('end_others') };
    const isKnown = isAll || authenticators.some((one) => one.id === wanted);
    if (!isKnown && authenticators.length > 0) return { ...chosen, shown: { is: 'offer' } };
    const replaces: Replaces = isAll ? 'all' : [wanted];
    return { ...chosen, shown: await this.pages.begin(visit, id, { replaces, kind: form.get('kind') }) };
  }

  private async takeCode(
    visit: PageVisit,
    replacement: ShownReplacement,
    { id }: PageStanding,
    form: Form,
  ): Promise<ShownReplacement> {
    const shown = await this.pages.takeCode(visit, id, form);
    if (shown.is !== 'codes' || !replacement.endsOthers) return { ...replacement, shown };
    const areGone = await this.door.endOtherDevices(visit.request, id);
    return { ...replacement, shown, haveOthersFailed: !areGone };
  }
}
