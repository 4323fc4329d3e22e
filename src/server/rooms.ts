import { Discovery } from '../discovery/discovery.ts';
import { Readiness } from '../discovery/readiness.ts';
import { Consequences } from '../guard/consequences.ts';
import type { GuardedRequestDeps } from '../guard/guarded_request.ts';
import { MissingEndpoints } from '../guard/missing_endpoints.ts';
import { OwnActions } from '../guard/own_actions.ts';
import type { Challenges } from '../second_factor/challenges.ts';
import { EgressGate } from '../second_factor/egress_gate.ts';
import { type AccountRooms, composeAccountRooms } from './account_rooms.ts';
import { type Foundations, type Groundwork, layGroundwork } from './groundwork.ts';
import { composeLoginRooms, type LoginRooms } from './login_rooms.ts';
import { composePageRooms, type PageRooms } from './page_rooms.ts';

/** The rooms behind the front door: what answers the gated and own routes. */
export interface Rooms extends LoginRooms, AccountRooms, PageRooms {
  /** What a guarded request is handled with. */
  readonly guard: GuardedRequestDeps;
  readonly ownActions: OwnActions;
  readonly discovery: Discovery;
  readonly readiness: Readiness;
  readonly egressGate: EgressGate;
  readonly challenges: Challenges;
}

/** Puts the rooms together from the configuration. */
export function composeRooms(foundations: Foundations): Rooms {
  const ground = layGroundwork(foundations);
  const loginRooms = composeLoginRooms(ground);
  return {
    ...loginRooms,
    ...composeAccountRooms(ground),
    ...composePageRooms(ground, loginRooms.pageSignIn),
    guard: composeGuard(ground),
    ownActions: new OwnActions(ground),
    discovery: composeDiscovery(ground),
    readiness: new Readiness(ground.storage, ground.homeserver),
    challenges: ground.challenges,
    egressGate: new EgressGate(ground.homeserver, ground.secondFactors, ground.log),
  };
}

function composeGuard(ground: Groundwork): GuardedRequestDeps {
  const { tokenOwners, appservices } = ground;
  return {
    ...ground,
    callers: { tokenOwners, appservices },
    consequences: new Consequences(ground.storage.factors, ground.passes, ground.clock),
    missing: new MissingEndpoints(ground.clock),
  };
}

function composeDiscovery({ homeserver, config }: Groundwork): Discovery {
  const { name, preferred } = config.sso;
  return new Discovery(homeserver, config.publicBaseUrl, config.login.sso ? { name, preferred } : undefined);
}
