import type { Replaceable } from '../../account/replacement.ts';
import { timeText } from '../forms/time_text.ts';
import { kindButtons } from '../set_up/set_up_cards.ts';
import { type Html, html, htmlIn } from '../shell/html.ts';
import type { Say } from '../texts/texts.ts';

/** Asks which authenticator is lost, and says what becomes of it. */
export function replaceCard(card: {
  readonly say: Say;
  readonly tokenField: Html;
  readonly fields: Html;
  readonly action: string;
  readonly offered: Replaceable;
  readonly problem: string | undefined;
}): Html {
  const { say, tokenField, fields, action, offered, problem } = card;
  return html`<section class="card stack"><h1 tabindex="-1" autofocus>${say('replace.title')}</h1>
${problem !== undefined && html`<p class="notice warning" role="alert">${problem}</p>`}
<p>${say(offered.authenticators.length === 1 ? 'replace.only' : 'replace.text')}</p>
<form class="stack" method="post" action="${action}">
${tokenField}
${fields}
<input type="hidden" name="step" value="replace">
${whichIsLost(say, offered)}
${offered.hasPassword && html`<label class="check"><input type="checkbox" name="end_others"> ${say('replace.endOthers')}</label>`}
${kindButtons(say, offered.kinds, say('setup.next'))}
</form>
</section>
<p class="after"><a href="${action}">${say('shell.cancel')}</a></p>`;
}

function whichIsLost(say: Say, { authenticators }: Replaceable): Html | undefined {
  if (authenticators.length === 1) return undefined;
  const radio = (value: string, name: Html) =>
    html`<label class="check"><input type="radio" name="replaces" value="${value}" required> ${name}</label>`;
  return html`<fieldset class="stack"><legend>${say('replace.which')}</legend>
${authenticators.map((one) => radio(one.id, told(say, one)))}
${radio('all', html`${say('replace.all')}`)}
</fieldset>`;
}

/** Several may have the same name. */
function told(say: Say, { name, enabledAt, lastUsedAt }: Replaceable['authenticators'][number]): Html {
  const date = timeText(enabledAt, say);
  const dates =
    lastUsedAt === null
      ? htmlIn(say.form('auth.datesUnused'), { date, never: say('auth.neverUsed') })
      : htmlIn(say.form('auth.dates'), { date, used: timeText(lastUsedAt, say) });
  return html`<span><bdi>${name}</bdi><br><span class="muted small">${dates}</span></span>`;
}
