import { ensureRustSdkClient } from '../../tools/clients/rust_sdk_client.ts';
import { describeWithClients } from './describe_with_clients.ts';
import { oauthJourney } from './oauth_journey.ts';
import { TalkingClient } from './talking_client.ts';

const install = (onProgress: (line: string) => void) =>
  ensureRustSdkClient('.cache/rust-sdk-client', onProgress);

await describeWithClients('matrix-sdk (Rust)', install, (app, program) =>
  oauthJourney(app, (homeserver) => new TalkingClient(program, [], homeserver)),
);
