import { button, element, Field, notice } from './dom.js';
import { notLoaded } from './late_card.js';
import { askProof } from './proof.js';
import { takeAway } from './take_away.js';
import { reasonText, say, timed } from './texts.js';
import { dropVoteLink, keptVoteLink } from './vote_link.js';
import { CALLS } from './wire.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./answers.d.ts').RecoveryVoteAnswer} Question
 */

/**
 * What a voter is asked, if they came by their link.
 *
 * @param {AccountPage} page
 */
export function voteCard(page) {
  const link = keptVoteLink();
  if (link === undefined) return undefined;
  const heading = element('h2', { id: 'vote-title', tabindex: -1 }, say('vote.cardTitle'));
  const rows = element('div', { class: 'plainrow' });
  const later = button(say('vote.later'), leave, { look: 'link row' });
  const card = element(
    'section',
    { class: 'card after-status', id: 'vote', 'aria-labelledby': 'vote-title' },
    element('header', {}, heading, later),
    rows,
  );
  void load(link);
  return card;

  function leave() {
    dropVoteLink();
    takeAway(card);
  }

  /** @param {string} kept */
  async function load(kept) {
    rows.replaceChildren(element('p', { class: 'muted' }, say('account.loading')));
    const answer = await page.api.call(CALLS.askedVote, { link: kept });
    const asked = answer.is === 'done' && isQuestion(answer.body) ? answer.body : undefined;
    // What is over is not put off.
    if (answer.status === 404 || (asked !== undefined && !isOpen(asked)))
      later.textContent = say('vote.close');
    if (asked !== undefined) return rows.replaceChildren(...question(page, kept, asked));
    if (answer.status === 404) return rows.replaceChildren(element('p', {}, say('vote.unknown')));
    const again = () => void load(kept);
    rows.replaceChildren(notLoaded(say('vote.notLoaded', { reason: reasonText(answer) }), again));
  }
}

/** Nothing else says that it was answered, or is over. @param {Partial<Question> | null} body */
function isQuestion(body) {
  const { user_id: user, begun_ts: begun, open, vote } = body ?? {};
  return (
    typeof user === 'string' && typeof begun === 'number' && typeof open === 'boolean' && vote !== undefined
  );
}

/** @param {Question} asked */
function isOpen({ open, vote }) {
  return open && vote === null;
}

/**
 * @param {AccountPage} page
 * @param {string} link
 * @param {Question} asked
 */
function question(page, link, { user_id: user, begun_ts: begun, open, vote }) {
  const about = element(
    'p',
    {},
    timed((date) => say('vote.about', { user, date }), begun),
  );
  if (vote !== null) return [about, element('p', {}, say('vote.answered'))];
  if (!open) return [about, element('p', {}, say('vote.over'))];
  return [
    about,
    notice('warning', element('p', {}, say('vote.reach'))),
    element(
      'div',
      { class: 'actions' },
      button(say('vote.yes'), () => void answerYes(page, link), { look: 'second' }),
      button(say('vote.no'), () => void answer(page, link, 'no'), { look: 'second' }),
    ),
  ];
}

/**
 * @param {AccountPage} page
 * @param {string} link
 */
function answerYes(page, link) {
  const how = new Field(
    say('vote.how'),
    { name: 'how', maxlength: 100, autocomplete: 'off' },
    say('vote.howHint'),
  );
  return answer(page, link, 'yes', how);
}

/**
 * @param {AccountPage} page
 * @param {string} link
 * @param {'yes' | 'no'} vote
 * @param {Field} [how]
 */
async function answer(page, link, vote, how) {
  const done = await askProof(page, {
    title: say(`vote.${vote}`),
    text: say(`vote.${vote}Text`),
    action: say(`vote.${vote}`),
    danger: vote === 'no',
    choice: how?.element,
    request: () => ({
      call: CALLS.castVote,
      body: { link, vote, ...(how && how.value.trim() !== '' && { how: how.value.trim() }) },
    }),
  });
  if (done === undefined) return;
  dropVoteLink();
  await page.overview(say('vote.thanks'));
}
