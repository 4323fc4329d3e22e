import { Consequences } from '../../guard/consequences.ts';
import type { GuardedRequestDeps } from '../../guard/guarded_request.ts';
import { MissingEndpoints } from '../../guard/missing_endpoints.ts';
import { OAuthLimits } from '../../guard/oauth_limits.ts';
import { OwnActions } from '../../guard/own_actions.ts';
import { KeyUploads } from '../../guard/signing_keys.ts';
import { EgressGate } from '../../second_factor/egress_gate.ts';
import { SessionBlock } from '../../second_factor/session_block.ts';
import type { SharedServices } from './shared.ts';

export type GuardServices = ReturnType<typeof guardServices>;

/** What stands before guarded requests of clients and the user's own actions. */
export function guardServices(shared: SharedServices) {
  return {
    guard: guardDeps(shared),
    oauthLimits: oauthLimits(shared),
    ownActions: new OwnActions(shared),
    sessionBlock: new SessionBlock(shared),
    egressGate: new EgressGate(shared.homeserver, shared.standings, shared.log),
  };
}

function guardDeps(shared: SharedServices): GuardedRequestDeps {
  const { tokenOwners, appservices, standings, enrolment } = shared;
  return {
    ...shared,
    callers: { tokenOwners, appservices, standings, enrolment },
    consequences: new Consequences(shared),
    missing: new MissingEndpoints(shared.clock),
    keys: { uploads: new KeyUploads(shared), ofOAuth: oauthLimits(shared) },
  };
}

function oauthLimits({ config, oauthSessions, ways }: SharedServices): OAuthLimits {
  const { accountUrl } = ways;
  return new OAuthLimits({ sessions: oauthSessions, accountUrl, publicBaseUrl: config.publicBaseUrl });
}
