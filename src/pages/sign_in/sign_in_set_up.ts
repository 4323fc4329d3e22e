import type { Answer } from '../../http/answer.ts';
import type { Form } from '../../http/form.ts';
import type { PageSignIn } from '../../login/page_sign_in.ts';
import type { PageStanding } from '../../login/page_standing.ts';
import type { PageVisit } from '../forms/form_pages.ts';
import { timeText } from '../forms/time_text.ts';
import type { SetUpPlace } from '../set_up/set_up_cards.ts';
import { afterSaved, type SetUpPages, unlessOver } from '../set_up/set_up_pages.ts';
import type { Html } from '../shell/html.ts';
import { heldBy, type SignInVisit } from './sign_in_visit.ts';

const STEPS: readonly string[] = ['set_up', 'set_up_code', 'back', 'later', 'saved'];

/** Whether a form is one of a set-up. */
export function isSetUpForm(form: Form): boolean {
  return STEPS.includes(form.get('step') ?? '');
}

/** Whether a form is one of a replacement. */
export function isReplaceForm({ replacement }: SignInVisit, form: Form): boolean {
  return form.get('step') === 'replace' || (replacement !== undefined && isSetUpForm(form));
}

/** The set-up that comes before a sign-in goes on, or that is offered in it. */
export class SignInSetUp {
  constructor(
    private readonly door: PageSignIn,
    private readonly pages: SetUpPages,
  ) {}

  /**
   * The visit with its set-up, or replacement, as it stands. What a process that died had yet to do counts as not
   * done.
   */
  async settled(state: SignInVisit, { id }: PageStanding): Promise<SignInVisit> {
    const { setUp, replacement } = state;
    const shown = replacement && (await this.pages.settled(id, replacement.shown));
    const isCutOff = replacement !== undefined && shown !== replacement.shown;
    return {
      ...state,
      setUp: setUp && (await this.pages.settled(id, setUp)),
      replacement: isCutOff
        ? { ...replacement, shown: shown ?? replacement.shown, haveOthersFailed: replacement.endsOthers }
        : replacement,
    };
  }

  /** Whether a page of the set-up comes next. Recovery codes are shown until they are said to be saved. */
  isNext({ setUp, isPutOff = false }: SignInVisit, standing: PageStanding): boolean {
    if (setUp?.is === 'codes') return true;
    return standing.setUp !== undefined && !(isPutOff && standing.setUp.is === 'offered');
  }

  /** The page of the set-up. Undefined: the sign-in has ended. */
  async show(
    visit: PageVisit,
    { setUp = { is: 'offer' } }: SignInVisit,
    standing: PageStanding,
    form: { readonly action: string; readonly fields: Html },
  ): Promise<Answer | undefined> {
    const until = standing.setUp?.is === 'offered' ? standing.setUp.deadlineTs : undefined;
    const place: SetUpPlace = {
      session: standing.id,
      user: standing.userId,
      ...form,
      until: until === undefined ? undefined : timeText(until, visit.say),
      kinds: await this.pages.kindsFor(standing.userId),
    };
    return unlessOver(() => this.pages.show(visit, place, setUp));
  }

  /** Takes the form of one of its steps. Undefined: the sign-in has ended. */
  async take(
    visit: PageVisit,
    state: SignInVisit,
    standing: PageStanding,
    form: Form,
  ): Promise<SignInVisit | undefined> {
    if (!this.isNext(state, standing)) return state;
    return unlessOver(() => this.takeStep(visit, state, standing, form));
  }

  private async takeStep(
    visit: PageVisit,
    state: SignInVisit,
    standing: PageStanding,
    form: Form,
  ): Promise<SignInVisit | undefined> {
    switch (form.get('step')) {
      case 'set_up':
        return this.begin(visit, state, standing, form.get('kind'));
      case 'set_up_code':
        return { ...state, setUp: await this.pages.takeCode(visit, standing.id, form) };
      case 'back':
        return { ...state, setUp: { is: 'offer' } };
      case 'later':
        // What is owed cannot wait, whatever the form says.
        return { ...state, setUp: undefined, isPutOff: true };
      default:
        return { ...state, setUp: afterSaved(state.setUp, form) };
    }
  }

  private async begin(
    visit: PageVisit,
    state: SignInVisit,
    standing: PageStanding,
    kind: string | undefined,
  ): Promise<SignInVisit | undefined> {
    const isOffered = standing.setUp?.is === 'offered';
    const wanted = isOffered ? await this.door.withSetUp(visit.request, standing.id) : standing;
    if (wanted === undefined) return undefined;
    return { ...state, held: heldBy(wanted), setUp: await this.pages.begin(visit, wanted.id, { kind }) };
  }
}
