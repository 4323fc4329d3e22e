import type { SynapseServer } from '../../tools/synapse/server.ts';
import { call, rawExchange } from '../support/http.ts';
import type { ProbedHomeserver } from './probe.ts';

/** What a Synapse must have switched on for all probes to find what they look for. */
export const PROBED_CONFIG = {
  login_via_existing_session: { enabled: true, require_ui_auth: true, token_timeout: '2m' },
};

/** A real Synapse as the probes see a homeserver. */
export async function probedSynapse(synapse: SynapseServer): Promise<ProbedHomeserver> {
  const administrator = await synapse.signUp('administrator', 'of this server', true);
  let made = 0;
  return {
    serverName: synapse.serverName,
    call: (what) => call(synapse.url, what),
    raw: (bytes) => rawExchange(synapse.url, bytes),
    newUser: async (given = {}) => {
      made += 1;
      const name = `user${made}`;
      const { password = `a long password of ${name}`, email } = given;
      const { userId, accessToken, deviceId } = await synapse.signUp(name, password);
      if (email) await addEmail(synapse, administrator.accessToken, userId, `${name}@x.org`);
      return { name, userId, password, token: accessToken, deviceId };
    },
  };
}

async function addEmail(
  synapse: SynapseServer,
  token: string,
  userId: string,
  address: string,
): Promise<void> {
  const target = `/_synapse/admin/v2/users/${encodeURIComponent(userId)}`;
  const json = { threepids: [{ medium: 'email', address }] };
  const answer = await call(synapse.url, { method: 'PUT', target, token, json });
  if (answer.status !== 200) throw new Error(`Synapse refused an address: ${answer.text}`);
}
