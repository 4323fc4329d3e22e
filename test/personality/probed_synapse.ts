import type { SynapseServer } from '../../tools/synapse/server.ts';
import { call, rawExchange } from '../support/http.ts';
import type { ProbedHomeserver } from './probe.ts';

/** A real Synapse as the probes see a homeserver. */
export async function probedSynapse(synapse: SynapseServer): Promise<ProbedHomeserver> {
  await synapse.registerUser('administrator', 'of this server', true);
  const adminToken = String((await logIn(synapse, 'administrator', 'of this server')).access_token);
  let made = 0;
  return {
    serverName: synapse.serverName,
    call: (what) => call(synapse.url, what),
    raw: (bytes) => rawExchange(synapse.url, bytes),
    newUser: async (given = {}) => {
      made += 1;
      const name = `user${made}`;
      const { password = `a long password of ${name}`, email } = given;
      const userId = await synapse.registerUser(name, password);
      if (email) await addEmail(synapse, adminToken, userId, `${name}@x.org`);
      const { access_token: token, device_id: deviceId } = await logIn(synapse, name, password);
      return { name, userId, password, token: String(token), deviceId: String(deviceId) };
    },
  };
}

async function logIn(synapse: SynapseServer, name: string, password: string) {
  const identifier = { type: 'm.id.user', user: name };
  const json = { type: 'm.login.password', identifier, password };
  const answer = await call(synapse.url, { target: '/_matrix/client/v3/login', json });
  if (answer.status !== 200) throw new Error(`Synapse refused a login: ${answer.text}`);
  return answer.json;
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
