import { put, row } from './contact_rows.js';
import { button, element, Field } from './dom.js';
import { dayText, say, timed } from './texts.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./answers.d.ts').RecoveryContactsAnswer} Contacts
 */

/**
 * The one further address: mail, or phone where the server sends text messages.
 *
 * @param {AccountPage} page
 * @param {Contacts} contacts
 */
export function addressPart(page, { contact, available }) {
  const change = () => {
    const field = addressField(contact?.address ?? '', available);
    return put(page, {
      title: say('contacts.mailChange'),
      text: say(available.phone ? 'contacts.phoneText' : 'contacts.mailText'),
      fields: [field],
      body: () => ({ contact: contactIn(field.value.trim(), available) }),
    });
  };
  const state = contact !== null && stateText(contact);
  return element(
    'ul',
    { class: 'rows' },
    row('mail', say('contacts.mail'), [
      [contact?.address ?? say('contacts.mailNone'), state && [' · ', state]],
      button(say('contacts.mailChange'), () => void change(), { look: 'second row' }),
    ]),
  );
}

/**
 * @param {string} value
 * @param {Contacts['available']} available
 */
function addressField(value, available) {
  const { type, label } = shapeOf(available);
  return new Field(
    label,
    {
      name: 'address',
      type,
      value,
      autocomplete: 'off',
      autocapitalize: 'none',
      spellcheck: 'false',
      maxlength: 254,
    },
    say(available.phone ? 'contacts.phoneHint' : 'contacts.mailHint'),
  );
}

/** @param {Contacts['available']} available */
function shapeOf({ mail, phone }) {
  if (!phone) return { type: 'email', label: say('contacts.mailField') };
  if (!mail) return { type: 'tel', label: say('contacts.phoneField') };
  return { type: 'text', label: say('contacts.addressField') };
}

/**
 * A number may be written as people read it: `+49 (151) 123-45678`.
 *
 * @param {string} written
 * @param {Contacts['available']} available
 */
function contactIn(written, available) {
  if (written === '') return null;
  return written.includes('@') || !available.phone
    ? { kind: 'mail', address: written }
    : { kind: 'phone', address: written.replaceAll(/[\s()./-]/g, '') };
}

/** @param {NonNullable<Contacts['contact']>} contact */
function stateText({ kind, confirmed_ts: confirmed }) {
  if (confirmed !== null) return timed((date) => say('contacts.mailConfirmed', { date }), confirmed, dayText);
  return say(kind === 'mail' ? 'contacts.mailWaits' : 'contacts.phoneWaits');
}
