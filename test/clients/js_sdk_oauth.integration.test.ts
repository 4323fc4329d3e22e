import { join } from 'node:path';
import { describe } from '@jest/globals';
import { ensureJsSdkLines } from '../../tools/clients/js_sdk_lines.ts';
import { describeWithClients } from './describe_with_clients.ts';
import { oauthJourney } from './oauth_journey.ts';
import { TalkingClient } from './talking_client.ts';

const install = (onProgress: (line: string) => void) => ensureJsSdkLines('.cache/js-sdk-lines', onProgress);
const driver = (name: string) => join(import.meta.dirname, 'drivers', `${name}.mjs`);

await describeWithClients('matrix-js-sdk, signed in by OAuth', install, (app, { node, folder }) => {
  const begin = (name: string) => (homeserver: string) =>
    new TalkingClient(node, [driver(name), folder], homeserver);

  describe('43', () => oauthJourney(app, begin('oauth_js_sdk')));
  describe('41.9, which reads the ID token', () =>
    oauthJourney(app, begin('oauth_js_sdk_41'), ({ userId }) => ({ subject: userId })));
});
