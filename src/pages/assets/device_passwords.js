import { useDates } from './authenticators.js';
import { askName, openDialog } from './dialog.js';
import { button, element, notice } from './dom.js';
import { deviceIcon, tile } from './icons.js';
import { hasList, lateCard } from './late_card.js';
import { askProof } from './proof.js';
import { remark } from './remarks.js';
import { copyButton } from './save_codes.js';
import { problemText, say } from './texts.js';
import { CALLS, changeDevicePassword } from './wire.js';

/**
 * @typedef {import('./page.js').AccountPage} AccountPage
 * @typedef {import('./answers.d.ts').DevicePasswordsAnswer['device_passwords'][number]} DevicePassword
 */

/** @param {AccountPage} page */
export function devicePasswordsCard(page) {
  const load = () => page.api.call(CALLS.devicePasswords);
  return lateCard({
    id: 'device-passwords',
    title: say('devicePasswords.title'),
    intro: say('devicePasswords.intro'),
    asked: load(),
    load,
    isWhole: (body) => hasList(body, 'device_passwords', 'id'),
    notLoaded: (reason) => say('devicePasswords.notLoaded', { reason }),
    show: ({ device_passwords: all }) => ({
      rows:
        all.length === 0
          ? element('p', { class: 'plainrow muted' }, say('devicePasswords.none'))
          : element(
              'ul',
              { class: 'rows' },
              all.map((each) => row(page, each)),
            ),
      action: button(say('devicePasswords.add'), () => void make(page), { look: 'second row' }),
    }),
  });
}

/**
 * @param {AccountPage} page
 * @param {DevicePassword} devicePassword
 */
function row(page, devicePassword) {
  const { name, usable, created_at: made, last_used_at: used } = devicePassword;
  return element(
    'li',
    {},
    tile(deviceIcon(name)),
    element(
      'div',
      { class: 'what' },
      element('b', {}, name),
      element('p', {}, useDates(made, used)),
      !usable && remark(say('devicePasswords.unusable')),
    ),
    element(
      'div',
      { class: 'actions' },
      button(say('auth.rename'), () => rename(page, devicePassword), {
        look: 'plain row',
        label: say('auth.renameOf', { name }),
      }),
      button(say('devicePasswords.revoke'), () => revoke(page, devicePassword), {
        look: 'second row',
        label: say('devicePasswords.revokeOf', { name }),
      }),
    ),
  );
}

/** @param {AccountPage} page */
async function make(page) {
  const made = await askProof(page, {
    title: say('devicePasswords.add'),
    text: say('devicePasswords.addText'),
    name: {
      label: say('devicePasswords.name'),
      value: say('devicePasswords.usualName'),
      hint: say('devicePasswords.nameHint'),
    },
    request: (name) => ({
      call: CALLS.makeDevicePassword,
      body: { name: name || say('devicePasswords.usualName') },
    }),
  });
  if (made !== undefined) showMade(page, made);
}

/**
 * The one time that the secret is shown.
 *
 * @param {AccountPage} page
 * @param {import('./answers.d.ts').DevicePasswordAnswer} made
 */
function showMade(page, { name, device_password: secret }) {
  const user = page.api.signedIn?.userId ?? '';
  page.show(
    element(
      'section',
      { class: 'card step-card' },
      element('h1', {}, say('devicePasswords.made')),
      element('p', {}, say('devicePasswords.madeText', { name, user })),
      element('p', {}, element('code', { class: 'secret' }, secret)),
      notice('warning', element('p', {}, say('devicePasswords.once'))),
      element('div', { class: 'actions' }, copyButton(page, secret, say('save.copy'))),
      element(
        'div',
        { class: 'actions' },
        button(say('save.finish'), () => page.overview(), { look: 'full' }),
      ),
    ),
  );
}

/**
 * @param {AccountPage} page
 * @param {DevicePassword} devicePassword
 */
function rename(page, { id, name }) {
  const asked = {
    title: say('auth.renameOf', { name }),
    label: say('devicePasswords.name'),
    hint: say('devicePasswords.nameHint'),
    name,
  };
  askName(asked, async (wanted) => {
    const answer = await page.api.call(changeDevicePassword('PUT', id), { name: wanted });
    if (answer.is !== 'done') return problemText(answer);
    void page.overview(say('devicePasswords.renamed'));
    return undefined;
  });
}

/**
 * @param {AccountPage} page
 * @param {DevicePassword} devicePassword
 */
function revoke(page, { id, name }) {
  const title = say('devicePasswords.revokeOf', { name });
  const words = { title, action: say('devicePasswords.revoke'), danger: true };
  openDialog(words, element('p', {}, say('devicePasswords.revokeText')), async () => {
    const answer = await page.api.call(changeDevicePassword('DELETE', id));
    if (answer.is !== 'done') return problemText(answer);
    void page.overview(say('devicePasswords.revoked'));
    return undefined;
  });
}
