import type { JsonObject } from '../../../src/matrix/wire.ts';
import type { Clock } from '../../../src/system/clock.ts';
import type { LoginLimits } from './limits.ts';
import type { Personality } from './personality.ts';
import type { StubState } from './state.ts';

/** Switches of a stub homeserver: what an operator could have configured. */
export interface StubSwitches {
  /** Synapse's `ui_auth.session_timeout`, in milliseconds; 0: every guarded call asks. */
  readonly uiaSessionTimeout: number;
  /** Synapse's `password_config.enabled`. */
  readonly passwords: 'on' | 'only_for_reauth' | 'off';
  readonly registration: 'open' | 'closed';
  readonly registrationFlows: readonly (readonly string[])[];
  /** What `public_baseurl` would be; shown in `well_known`. */
  readonly publicBaseUrl: string | undefined;
  /** The content of `/.well-known/matrix/client` where the homeserver serves it. */
  readonly wellKnown: JsonObject | undefined;
  /** Milliseconds that a refreshable access token lives; undefined: as the personality has it. */
  readonly refreshableLifetime: number | undefined;
  /** Whether it has a native OAuth to announce (`auth_metadata`). */
  readonly oauth: boolean;
  /** Whether `delete_devices` is found by prefix, as in Synapse before its pattern had an end. */
  readonly openEndedDeleteDevices: boolean;
  /** Single sign-on of its own. */
  readonly sso: StubSso | undefined;
  /** The tokens of application services, each with the users it may act for. */
  readonly applicationServices: StubApplicationService[];
}

export interface StubSso {
  readonly providers: readonly { readonly id: string; readonly name: string }[];
  /** Local part of the user whom the provider knows at the moment; may be changed by the test. */
  signedInAs: string;
}

export interface StubApplicationService {
  readonly token: string;
  readonly senderLocalpart: string;
  /** Local parts that it may act for begin with this. */
  readonly prefix: string;
}

/** What an endpoint of the stub works with. */
export interface Home {
  readonly personality: Personality;
  readonly switches: StubSwitches;
  readonly state: StubState;
  readonly limits: LoginLimits;
  readonly clock: Clock;
  /** Base URL of the stub itself. */
  readonly url: () => string;
}
