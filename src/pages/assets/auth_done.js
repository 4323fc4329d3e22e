/*
 * Tells the client that opened this page that the stage is done (client-server API, "Fallback"), and no more than
 * that: everything else it learns from the server. Nothing is ever listened to (attack 68).
 */

const client = /** @type {{ onAuthDone?: unknown }} */ (window);

if (typeof client.onAuthDone === 'function') client.onAuthDone();
else window.opener?.postMessage('authDone', '*');

// What is to be read keeps the page open; a client may close it all the same.
if (document.querySelector('[data-to-read]') === null) window.close();
