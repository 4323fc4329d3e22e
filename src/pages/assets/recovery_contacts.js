import { addressPart } from './contact_address.js';
import { listPart, put, row } from './contact_rows.js';
import { button, element, Field } from './dom.js';
import { hasList, lateCard } from './late_card.js';
import { askProof } from './proof.js';
import { dayText, say, timed } from './texts.js';
import { CALLS } from './wire.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./answers.d.ts').RecoveryContactsAnswer} Contacts
 * @typedef {Contacts['absences'][number]} Absence
 */

/** What counts if the account has to be recovered. @param {AccountPage} page */
export function contactsCard(page) {
  const load = () => page.api.call(CALLS.recoveryContacts);
  const asked = load();
  const isWhole = (/** @type {unknown} */ body) =>
    hasList(body, 'voters', 'user_id') && hasList(body, 'absences', 'from');
  const card = lateCard({
    id: 'recovery-contacts',
    title: say('contacts.title'),
    intro: say('contacts.intro'),
    asked,
    load,
    isWhole,
    notLoaded: (reason) => say('contacts.notLoaded', { reason }),
    show: (contacts) => ({ rows: parts(page, contacts) }),
  });
  void asked.then((answer) => {
    // What the policy forbids stands there only where there is something to remove.
    if (answer.is !== 'done' || !isWhole(answer.body) || answer.body.allowed !== false || isSet(answer.body))
      return;
    document.querySelector(`nav a[href="#${card.id}"]`)?.remove();
    card.remove();
  });
  return card;
}

/** @param {Contacts} contacts */
function isSet({ voters, contact, absences, time_zone: zone }) {
  return voters.length > 0 || absences.length > 0 || contact !== null || zone !== null;
}

/**
 * @param {AccountPage} page
 * @param {Contacts} contacts
 */
function parts(page, contacts) {
  const { allowed, available } = contacts;
  return [
    !allowed && element('p', { class: 'plainrow muted' }, say('contacts.forbidden')),
    allowed && zonePart(page, contacts),
    allowed && (available.mail || available.phone) && addressPart(page, contacts),
    allowed && available.absences && awayPart(page, contacts),
    allowed && available.voters && votersPart(page, contacts),
    isSet(contacts) &&
      element(
        'p',
        { class: 'plainrow' },
        button(say('contacts.removeAll'), () => void removeAll(page), { look: 'second row' }),
      ),
  ];
}

/**
 * @param {AccountPage} page
 * @param {Contacts} contacts
 */
function zonePart(page, { time_zone: zone, server_time_zone: server }) {
  const shown = zone ?? say('contacts.zoneServer', { zone: server });
  const change = () => {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const field = new Field(
      say('contacts.zone'),
      { name: 'zone', value: zone ?? here, autocomplete: 'off', maxlength: 64 },
      say('contacts.zoneHint', { zone: server }),
    );
    return put(page, {
      title: say('contacts.zoneChange'),
      text: say('contacts.zoneText'),
      fields: [field],
      body: () => ({ time_zone: field.value.trim() || null }),
    });
  };
  return element(
    'ul',
    { class: 'rows' },
    row('clock', say('contacts.zone'), [
      shown,
      button(say('contacts.zoneChange'), () => void change(), { look: 'second row' }),
    ]),
  );
}

/**
 * @param {AccountPage} page
 * @param {Contacts} contacts
 */
function awayPart(page, { absences }) {
  const add = () => {
    const [from, to] = [dayField(say('contacts.awayFrom')), dayField(say('contacts.awayTo'))];
    return put(page, {
      title: say('contacts.awayAdd'),
      text: say('contacts.awayText'),
      fields: [from, to],
      body: () => ({ absences: [...absences, { from: from.value, to: to.value || from.value }] }),
    });
  };
  const remove = (/** @type {Absence} */ absence) =>
    put(page, {
      title: say('contacts.awayRemoveOf', { range: rangeText(absence) }),
      text: say('contacts.awayRemoveText'),
      isRemoval: true,
      fields: [],
      body: () => ({ absences: absences.filter((each) => each !== absence) }),
    });
  return listPart(
    { title: say('contacts.away'), none: say('contacts.awayNone'), add: say('contacts.awayAdd') },
    absences.map((absence) =>
      row('days', rangeText(absence), [
        '',
        button(say('auth.remove'), () => void remove(absence), {
          look: 'second row',
          label: say('contacts.awayRemoveOf', { range: rangeText(absence) }),
        }),
      ]),
    ),
    () => void add(),
  );
}

/**
 * @param {AccountPage} page
 * @param {Contacts} contacts
 */
function votersPart(page, { voters }) {
  const names = voters.map(({ user_id: name }) => name);
  const add = () => {
    const field = new Field(
      say('contacts.voterName'),
      { name: 'voter', autocomplete: 'off', autocapitalize: 'none', spellcheck: 'false', maxlength: 255 },
      say('contacts.voterNameHint'),
    );
    return put(page, {
      title: say('contacts.voterAdd'),
      text: say('contacts.voterText'),
      fields: [field],
      body: () => ({ voters: [...names, field.value.trim()] }),
    });
  };
  const remove = (/** @type {string} */ name) =>
    put(page, {
      title: say('contacts.voterRemoveOf', { name }),
      text: say('contacts.voterRemoveText', { name }),
      isRemoval: true,
      fields: [],
      body: () => ({ voters: names.filter((each) => each !== name) }),
    });
  return listPart(
    { title: say('contacts.voters'), none: say('contacts.votersNone'), add: say('contacts.voterAdd') },
    voters.map(({ user_id: name, counts_from_ts: counts }) =>
      row('person', name, [
        timed((date) => say('contacts.voterFrom', { date }), counts, dayText),
        button(say('auth.remove'), () => void remove(name), {
          look: 'second row',
          label: say('contacts.voterRemoveOf', { name }),
        }),
      ]),
    ),
    () => void add(),
  );
}

/** @param {string} label */
function dayField(label) {
  return new Field(label, { name: 'day', type: 'date', autocomplete: 'off' });
}

/** As the reader writes days, which have no time zone. @param {Absence} absence */
function rangeText({ from, to }) {
  const [first, last] = [from, to].map((day) => dayText(Date.parse(`${day}T12:00:00`)));
  return from === to ? (first ?? from) : say('contacts.awayRange', { from: first ?? from, to: last ?? to });
}

/** @param {AccountPage} page */
async function removeAll(page) {
  const done = await askProof(page, {
    title: say('contacts.removeAll'),
    text: say('contacts.removeAllText'),
    danger: true,
    action: say('contacts.removeAll'),
    request: () => ({ call: CALLS.removeContacts, body: {} }),
  });
  if (done !== undefined) await page.overview(say('contacts.removed'), 'warning');
}
