/*
 * Makes forms pleasant; they work without it. A code that is complete is sent at once, and nothing is sent twice.
 */

for (const field of document.querySelectorAll('input[data-digits]')) {
  if (field instanceof HTMLInputElement) sendWhenComplete(field);
}

for (const form of document.forms) form.addEventListener('submit', (event) => sendOnce(form, event));

/** A page that the browser kept is as good as new. */
window.addEventListener('pageshow', () => {
  for (const form of document.forms) delete form.dataset.sent;
});

/**
 * People paste codes with blanks in them; the server takes them as they are.
 * @param {HTMLInputElement} field
 */
function sendWhenComplete(field) {
  const wanted = Number(field.dataset.digits);
  let last = field.value;
  field.addEventListener('input', () => {
    const digits = field.value.replace(/\s/g, '');
    const isNew = digits !== last;
    last = digits;
    if (isNew && digits.length === wanted && /^[0-9]+$/.test(digits)) field.form?.requestSubmit();
  });
}

/**
 * @param {HTMLFormElement} form
 * @param {SubmitEvent} event
 */
function sendOnce(form, event) {
  if (form.dataset.sent !== undefined) event.preventDefault();
  form.dataset.sent = '';
}
