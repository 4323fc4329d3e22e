/**
 * Takes away what may have the focus, which goes to the heading and not to nowhere.
 *
 * @param {HTMLElement} gone
 */
export function takeAway(gone) {
  const hadFocus = gone.contains(document.activeElement);
  gone.remove();
  if (hadFocus) document.querySelector('h1')?.focus();
}
