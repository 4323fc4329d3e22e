import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * A web client on an origin (and a site) of its own, which does what matrix-js-sdk does: single sign-on with
 * `login/sso/redirect` and a login token, and User-Interactive Authentication with a fallback page in a popup.
 */
export class ClientPage {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  /** @param homeserver the base URL that the client talks to */
  static async serve(homeserver: string): Promise<ClientPage> {
    const server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' });
      response.end(documentFor(homeserver));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new ClientPage(server);
  }

  /** Another name than the homeserver's, so that browsers take it for another site. */
  get url(): string {
    return `http://localhost:${(this.#server.address() as AddressInfo).port}/`;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.#server.closeAllConnections();
    await closed;
  }
}

function documentFor(homeserver: string): string {
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A client</title><link rel="icon" href="data:,"></head><body>
<button id="sign-in">Sign in</button> <button id="elsewhere">Sign in elsewhere</button>
<button id="remove">Remove the other session</button> <button id="password">Change the password</button>
<button id="deactivate">Deactivate the account</button>
<p id="state">signed out</p>
<script>
const homeserver = ${JSON.stringify(homeserver)};
const client = homeserver + '/_matrix/client/v3';
const state = document.getElementById('state');
let session = JSON.parse(sessionStorage.getItem('session') ?? 'null');

async function post(path, body) {
  const headers = { 'Content-Type': 'application/json' };
  if (session) headers.Authorization = 'Bearer ' + session.access_token;
  const response = await fetch(client + path, { method: 'POST', headers, body: JSON.stringify(body) });
  return { status: response.status, body: await response.json() };
}

/** Once signed in, signing in again (a soft logout) is for the same device. */
async function redeem(token) {
  history.replaceState(null, '', location.pathname);
  const { device_id } = session ?? {};
  session = null;
  const { status, body } = await post('/login', {
    type: 'm.login.token', token, device_id, initial_device_display_name: 'A web client',
  });
  if (status !== 200) { state.textContent = 'refused: ' + status; return; }
  session = body;
  sessionStorage.setItem('session', JSON.stringify(body));
  state.textContent = 'in the client as ' + body.user_id + ' on ' + body.device_id;
}

/** A guarded request: the page of the first stage in a popup, and the request once more when that says so. */
async function guarded(path, content, done) {
  const challenge = await post(path, content);
  const [stage] = challenge.body.flows[0].stages;
  const { session: uia } = challenge.body;
  const popup = window.open(client + '/auth/' + stage + '/fallback/web?session=' + encodeURIComponent(uia), '_blank');
  window.addEventListener('message', async (event) => {
    if (event.data !== 'authDone' || event.source !== popup) return;
    const answer = await post(path, { ...content, auth: { session: uia } });
    state.textContent = done + ': ' + answer.status;
  });
}

/** As the buttons of a client: one for each provider. */
async function signInElsewhere() {
  const { flows } = await (await fetch(client + '/login')).json();
  const { identity_providers } = flows.find(({ type }) => type === 'm.login.sso');
  leave(identity_providers.find(({ id }) => id !== 'two-factor').id);
}

function leave(provider) {
  location.href = client + '/login/sso/redirect/' + provider + '?redirectUrl=' + encodeURIComponent(location.href);
}

document.getElementById('sign-in').onclick = () => leave('two-factor');
document.getElementById('elsewhere').onclick = signInElsewhere;
document.getElementById('remove').onclick = () =>
  guarded('/delete_devices', { devices: ['OTHER'] }, 'removed');
document.getElementById('password').onclick = () =>
  guarded('/account/password', { new_password: 'brand new password', logout_devices: false }, 'changed');
document.getElementById('deactivate').onclick = () =>
  guarded('/account/deactivate', { erase: false }, 'deactivated');
const token = new URLSearchParams(location.search).get('loginToken');
if (token) redeem(token);
</script></body></html>`;
}
