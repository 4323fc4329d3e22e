import type { Handler } from '../../http/answer.ts';
import { IdTokens } from '../../oauth/id_token.ts';
import { issuerOf, publicAnswer, serverMetadata } from '../../oauth/metadata.ts';
import { oauthHandler } from '../../oauth/oauth_answer.ts';
import { OauthSwitch } from '../../oauth/oauth_switch.ts';
import { Registration } from '../../oauth/registration.ts';
import { HourlyLease } from '../../storage/hourly_lease.ts';
import type { SharedServices } from './shared.ts';

export type OauthDoor = ReturnType<typeof oauthDoor>;

/** What of the OAuth 2.0 API concerns no account: whether it is there, what it says of itself, which apps there are. */
export function oauthDoor(shared: SharedServices) {
  const { config, log, aside: storage, clock, processes } = shared;
  const { enabled, deviceGrant } = config.oauth;
  const metadata = publicAnswer(serverMetadata(config.publicBaseUrl, deviceGrant));
  const registration = new Registration(shared, config.oauth);
  const idTokens = new IdTokens(shared, issuerOf(config.publicBaseUrl));
  const oauthMetadata: Handler = async () => metadata;
  return {
    oauthSwitch: new OauthSwitch(shared, enabled),
    oauthMetadata,
    oauthRegister: oauthHandler(log, (request) => registration.handle(request)),
    oauthJwks: oauthHandler(log, () => idTokens.describe()),
    idTokens,
    /** Apps that no one uses are looked for once an hour. */
    oauthClientsLease: new HourlyLease({ storage, clock, holder: processes.id }, 'oauth clients'),
  };
}
