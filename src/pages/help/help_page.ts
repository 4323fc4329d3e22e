import type { Answer } from '../../http/answer.ts';
import type { ClientRequest } from '../../http/client_request.ts';
import { withWholeCodes } from '../forms/fields.ts';
import { contactText, type FindContact } from '../shell/contact.ts';
import { HELP, RECOVER_PAGE } from '../shell/footer.ts';
import { type Html, html, htmlIn } from '../shell/html.ts';
import type { PageShell } from '../shell/page.ts';
import type { Say } from '../texts/texts.ts';

/** The sections in their order; each is the id of one, so that links lead to it. */
const SECTIONS = [
  'what',
  'app',
  'passkey',
  'recovery-code',
  'password-field',
  'refused',
  'lost',
  'lost-all',
] as const;
type Section = (typeof SECTIONS)[number];

export interface HelpPageSettings {
  /** Whether a code may stand behind the password. */
  readonly appendedCode: boolean;
  /** Whether passkeys are taken. */
  readonly passkeys: boolean;
  /** What the operator calls their server. */
  readonly server: string;
  readonly contact: FindContact;
  /** Whether accounts can be recovered without any factor. */
  readonly recovery: boolean;
}

/** `GET /_2fa/help`, for everybody; and the page for addresses that are not there. */
export class HelpPage {
  constructor(
    private readonly shell: PageShell,
    private readonly settings: HelpPageSettings,
  ) {}

  handle(request: ClientRequest): Answer {
    const say = this.shell.sayFor(request);
    const sections = SECTIONS.filter((section) => section !== 'passkey' || this.settings.passkeys);
    return this.shell.renderPage({
      title: say('help.title'),
      request,
      width: 'medium',
      body: html`<h1>${say('help.title')}</h1>
${sections.map(
  (section) => html`<section class="card" id="${section}"><h2>${say(`help.${section}.title`)}</h2>
${this.answerOf(section, say).map(
  (part) => html`<p>${part}</p>
`,
)}</section>
`,
)}`,
    });
  }

  /** Below `/_2fa/`, for people; programs get JSON. */
  notFound(request: ClientRequest): Answer {
    const say = this.shell.sayFor(request);
    const title = say('error.notFound.title');
    return this.shell.renderPage({
      title: say('shell.error', { title }),
      request,
      status: 404,
      body: html`<section class="card stack"><h1>${title}</h1>
<p><a class="button quiet full" href="/_2fa/account">${say('shell.account')}</a></p>
<p><a class="button quiet full" href="${HELP}">${say('shell.help')}</a></p></section>`,
    });
  }

  /** In paragraphs. */
  private answerOf(section: Section, say: Say): readonly Html[] {
    const { appendedCode, contact, server, recovery } = this.settings;
    if (section === 'lost-all') {
      const link = html`<a href="${RECOVER_PAGE}">${say('recover.title')}</a>`;
      const known = contact();
      // A sentence that ends with an address has no full stop of its own.
      const isOpen = known !== undefined && say.form('contact.known').endsWith('{contact}');
      const asked = html`${contactText(say, known, server)}${isOpen && '.'}`;
      return [...(recovery ? [link] : []), htmlIn(say.form('help.lost-all.text'), { contact: asked })];
    }
    // Nothing tells people to type a code where it is not taken.
    const isTyped = section === 'password-field' || section === 'passkey';
    const text =
      isTyped && !appendedCode ? say(`help.${section}.notTaken`) : say.form(`help.${section}.text`);
    return [withWholeCodes(text)];
  }
}
