import type { Factor } from '../../factors/factor.ts';
import { digitsIn, type Factors } from '../../factors/factors.ts';
import type { Homeserver } from '../../homeserver/homeserver.ts';
import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import type { OfferedWays } from '../../second_factor/challenge_answer.ts';
import { MINUTE } from '../../system/clock.ts';
import type { Language } from '../../system/languages.ts';
import type { FormPages, PageVisit } from '../forms/form_pages.ts';
import { type Html, html, jsonBlock } from '../shell/html.ts';
import { type OfferedProvider, offeredProviders } from '../sign_in/offered_providers.ts';
import type { SignInPage } from '../sign_in/sign_in_page.ts';
import type { Say } from '../texts/texts.ts';
import type { SessionCookie } from './session_cookie.ts';

export interface AccountPageSettings extends OfferedWays {
  readonly idleMs: number;
  /** Whether there are device passwords. */
  readonly devicePasswords: boolean;
  /** Whether owners can recover their account after a wait. */
  readonly accountRecovery: boolean;
  /** Whether accounts without a password can have 2FA. */
  readonly withoutPassword: boolean;
}

export interface AccountPageDeps {
  readonly pages: FormPages;
  readonly signInPage: SignInPage;
  readonly cookie: SessionCookie;
  readonly factors: Factors;
  readonly homeserver: Homeserver;
}

/**
 * `GET /_2fa/account`: the card of its sign-in, and for a browser with a cookie an empty page. With it comes a script that
 * asks for the session, and is a client of the public API from then on; nothing of any user stands in the page.
 */
export class AccountPage {
  constructor(
    private readonly deps: AccountPageDeps,
    private readonly settings: AccountPageSettings,
  ) {}

  handle(request: ClientRequest): Promise<Answer> {
    return this.deps.pages.visit(request, async (visit) => {
      const isSignedOut = this.deps.cookie.in(request) === undefined;
      const providers = isSignedOut ? await offeredProviders(this.deps.homeserver, request) : undefined;
      const shown =
        providers &&
        (await this.deps.signInPage.showOn('account', visit, { providers, after: this.beforeSignIn(visit) }));
      if (shown !== undefined) return shown;
      return visit.render({
        title: visit.say('account.title'),
        script: 'account.js',
        width: 'wide',
        body: (tokenField, token) => this.body(visit, { tokenField, token }, providers),
      });
    });
  }

  /** @param providers undefined where the browser has a cookie */
  private body(
    visit: PageVisit,
    form: { readonly tokenField: Html; readonly token: string },
    providers: readonly OfferedProvider[] | undefined,
  ): Html {
    const { say } = visit;
    const { tokenField } = form;
    const notice = this.noticeIn(visit);
    // The script shows what is there, or asks for a sign-in; a reader without it can at least sign out.
    const shown =
      providers !== undefined
        ? this.deps.signInPage.accountCard(
            visit,
            { notice, providers, after: this.beforeSignIn(visit) },
            form,
          )
        : html`<noscript><section class="card"><h1>${say('account.title')}</h1>
<p>${say('account.needsScript')}</p>
<button class="button full" form="sign-out">${say('account.signOut')}</button></section></noscript>`;
    return html`<div id="account">${shown}</div>
<form id="sign-out" method="post" action="/_2fa/account/sign-out" hidden>${tokenField}
<input type="hidden" name="why" value=""></form>
<div id="announcer" class="visually-hidden" role="status"></div>
${jsonBlock('data', {
  events: eventTexts(this.deps.factors.all, visit.language),
  said: this.saidBy(say),
  digits: digitsIn(this.deps.factors.all),
  devicePasswords: this.settings.devicePasswords,
  accountRecovery: this.settings.accountRecovery,
  withoutPassword: this.settings.withoutPassword,
  passkeys: this.deps.factors.all.some(({ page, setUp }) => page?.is === 'passkey' && setUp !== undefined),
})}`;
  }

  private noticeIn({ say, request }: PageVisit): Html | undefined {
    const why = request.query.get('signed_out');
    if (why === undefined) return undefined;
    const text =
      why === 'idle' ? say('account.idle', { time: this.idleTime(say) }) : say('account.signedOut');
    return html`<div class="notice" role="status"><p>${text}</p></div>`;
  }

  /** What people should know before they sign in here. */
  private beforeSignIn({ say }: PageVisit): Html {
    return html`<noscript><p class="notice warning">${say('signIn.noScriptAccount')}</p></noscript>
<p class="hint">${say('account.stay', { time: this.idleTime(say) })}</p>`;
  }

  private idleTime(say: Say): string {
    return say('time.minutes', { count: Math.round(this.settings.idleMs / MINUTE) });
  }

  /** Nothing tells people to type a code where it is not taken. */
  private saidBy({ texts }: Say): Say['texts'] {
    if (this.settings.appendedCode) return texts;
    return {
      ...texts,
      'help.password-field.text': texts['help.password-field.notTaken'],
      'help.passkey.text': texts['help.passkey.notTaken'],
    };
  }

  /** `/_2fa/` and the like: what people type. */
  redirect({ search }: ClientRequest): Answer {
    return {
      status: 308,
      headers: { Location: `/_2fa/account${search}`, 'Cache-Control': 'no-store' },
      sameOrigin: true,
      body: Buffer.alloc(0),
    };
  }
}

/** What happened to factors, by the names that the audit has for it. */
function eventTexts(factors: readonly Factor[], language: Language): Record<string, string> {
  const texts = factors.flatMap(({ kind, events }) =>
    Object.entries(events).map(([deed, text]) => [`${kind}.${deed}`, text[language]] as const),
  );
  return Object.fromEntries(texts);
}
