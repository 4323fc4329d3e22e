import type { JsonObject } from '../../../src/matrix/wire.ts';

export type PersonalityName = 'synapse' | 'dendrite' | 'conduit' | 'tuwunel' | 'continuwuity';

/** A refusal as data: the status and the Matrix error code. */
export interface Refused {
  readonly status: number;
  readonly errcode: string;
}

/** A refusal that may be told inside a challenge, with its session and flows; the status is then 401. */
export interface RefusedStage extends Refused {
  readonly inChallenge?: true;
}

/** `accepted`, or how it is refused. */
export type Reaction = 'accepted' | RefusedStage;

/** Endpoints whose prefixes differ between servers. */
export type EndpointName =
  | 'login'
  | 'sso'
  | 'register'
  | 'logout'
  | 'refresh'
  | 'whoami'
  | 'devices'
  | 'delete_devices'
  | 'password'
  | 'deactivate'
  | 'threepid'
  | 'threepid_post'
  | 'threepid_add'
  | 'device_signing'
  | 'get_token'
  | 'get_token_msc3882'
  | 'get_token_msc3882_old'
  | 'keys'
  | 'other';

/** Endpoints behind user-interactive authentication that have rules of their own somewhere. */
export type GuardedEndpoint =
  | 'devices'
  | 'deactivate'
  | 'password'
  | 'device_signing'
  | 'threepid_add'
  | 'get_token';

export interface RoutingRules {
  /** Whether everything from a raw `#` on is dropped before routing. */
  readonly cutsAtHash: boolean;
  /** What happens to `http://host/path` as a target. */
  readonly absoluteForm: 'unknown' | 'web_schemes' | 'any_scheme';
  /** Characters in a target that the server itself answers with a bare 400. */
  readonly refusedCharacters: RegExp | undefined;
  /** Whether HEAD is answered wherever GET is. */
  readonly headAsGet: boolean;
  /** The version segments under which each endpoint is served; none: it is not there at all. */
  readonly prefixes: Readonly<Record<EndpointName, readonly string[]>>;
  /** Path prefixes of administration interfaces that are served. */
  readonly adminPaths: readonly string[];
  /** Whether a 404 outside the Matrix paths has no Matrix error. */
  readonly bareOutsideApi: boolean;
}

export interface TransportRules {
  /** Bytes; a larger body is answered with `tooLarge`. */
  readonly maxBody: number;
  readonly tooLarge: 413 | 'reset';
  /** Bytes of all headers together. */
  readonly maxHeaderBytes: number;
  readonly maxHeaderCount: number;
  readonly unknownExpectation: 200 | 417;
  /** Whether a request with a length and chunks is read; otherwise it is 400. */
  readonly readsLengthWithChunks: boolean;
  /** Which header names the client, in the order in which they are believed; empty: the peer alone. */
  readonly clientAddressHeaders: readonly string[];
}

export interface JsonRules {
  readonly maxDepth: number;
  readonly loneSurrogate: 'accepted' | 'refused';
  /** `empty`: a body with such a number is taken for `{}`. */
  readonly fraction: 'accepted' | 'empty';
  readonly hugeInteger: 'accepted' | 'empty';
  readonly overflowingNumber: 'accepted' | 'refused' | 'empty';
  /** Whether keys in another case name the same field, as in Go. */
  readonly foldsKeys: boolean;
  /** The status for a multipart body; 200: it is read as JSON like any other. */
  readonly multipart: 200 | 415;
  /** Error code for what is not JSON at all. */
  readonly notJson: string;
  /** Error code for a body that is not there. */
  readonly missing: string;
  /** Error code for a byte order mark, and for something behind the JSON. */
  readonly markOrTail: string;
  /** Whether a form body adds to the query parameters. */
  readonly formAddsToQuery: boolean;
}

export interface TokenRules {
  readonly headerAndQuery: 'refused' | 'header_wins';
  readonly twoHeaders: 'refused' | 'first_wins';
  /** `loose`: any case of `Bearer`, any number of blanks. */
  readonly scheme: 'exact' | 'loose';
  /** `Bearer` with two blanks behind it. */
  readonly twoBlanks: Reaction;
  /** An `Authorization` that is not a bearer token. */
  readonly otherScheme: Refused;
  /** Whether such a header is overlooked when the query has a token. */
  readonly queryBesideOtherScheme: boolean;
  readonly deadTokenExtra: JsonObject;
  readonly whoamiHasGuest: boolean;
  /** Whether a login with a device id that exists leaves that device's tokens alive. */
  readonly sameDeviceKeepsTokens: boolean;
  /** Milliseconds that an access token lives if a refresh token was asked for; undefined: never given. */
  readonly refreshableLifetime: number | undefined;
  readonly refresh:
    | { readonly oldTokensStay: boolean; readonly unknown: Refused }
    /** The endpoint is not there. */
    | undefined;
  /** `POST /logout/all`. */
  readonly logoutAll: Reaction;
  /** Whether `POST /logout` takes an access token that has expired. */
  readonly expiredMayLogOut: boolean;
}

export interface LoginRules {
  /** The flows of `GET /login`. */
  readonly flows: readonly JsonObject[];
  /** What is offered besides, once an application service is registered. */
  readonly flowsForServices?: readonly JsonObject[];
  readonly userWithoutIdentifier: Reaction;
  readonly nullIdentifier: Reaction;
  readonly identifierAndUser: 'identifier' | 'user';
  /** An identifier of a type that no one knows, beside `user`. */
  readonly unknownIdentifierBesideUser: Reaction;
  readonly addressBesideIdentifier: 'wins' | 'ignored';
  /** `accepted`: resolved to the owner of the address, if there is one. */
  readonly thirdPartyIdentifier: Reaction;
  readonly serverInOtherCase: Reaction;
  readonly otherServer: Refused;
  /** `@alice`, a sigil without a server. */
  readonly noServer: Refused;
  readonly emptyPassword: 'judged' | Refused;
  readonly missingPassword: Refused;
  readonly deactivated: Refused;
  readonly unknownType: Refused;
  readonly missingType: Refused;
  /** Whether the error text for an unknown type shows the whole body. */
  readonly unknownTypeShowsBody: boolean;
  readonly deviceIdNumber: Refused;
  readonly deviceIdTooLong: Reaction;
  readonly displayNameTooLong: Reaction;
  readonly hasHomeServerField: boolean;
  /** Whether the answer carries `well_known` where a public base URL is set. */
  readonly tellsWellKnown: boolean;
  /** `m.login.token`; the flow need not be listed for it to be there. */
  readonly tokenLogin: 'accepted' | 'unknown_type' | Refused;
  /** Whether the case of a local part does not matter. */
  readonly foldsNames: boolean;
  /** The answer for a name that no one has; undefined: the same as for a wrong password. */
  readonly unknownUser: Refused | undefined;
}

export interface PasswordRules {
  /** NFKC before comparing. */
  readonly normalises: boolean;
  /** bcrypt looks at 72 bytes. `cut`: the rest is dropped; `cut_unless_stored_longer`: a longer one never matches. */
  readonly longerThan72: 'whole' | 'cut' | 'cut_unless_stored_longer';
  readonly weak: Reaction;
}

/** How user-interactive authentication goes at one endpoint. */
export interface UiaRules {
  readonly params: 'object' | 'missing' | 'null';
  readonly completedAtFirst: 'missing' | 'empty';
  /** `completed` beside a stage that failed. */
  readonly completedAfterFailure: 'list' | 'missing' | 'null';
  /** `completed` beside a stage that is not known here. */
  readonly completedAfterUnknown: 'list' | 'missing';
  readonly emptyAuth: 'challenge' | Refused;
  readonly nullAuth: 'challenge' | Refused;
  readonly textAuth: Refused;
  readonly unknownStage: 'challenge' | Refused;
  /** Whether `m.login.dummy` is taken although it was not offered; otherwise it is an unknown stage. */
  readonly dummyCompletes: boolean;
  readonly wrongPassword: 'challenge' | Refused;
  readonly emptyPassword: 'judged' | RefusedStage;
  readonly noIdentifier: RefusedStage;
  readonly topLevelUser: Reaction;
  readonly identifierAndUser: 'identifier' | 'user';
  readonly inventedSession: Reaction;
  readonly sessionOfOtherOperation: Reaction;
  readonly sessionOfOtherUser: Reaction;
  readonly finishedSessionAlone: 'accepted' | 'challenge' | Refused;
  readonly finishedSessionWithPassword: Reaction;
  /** Another user's name with their right password. */
  readonly otherUser: 'acts_on_caller' | 'acts_on_named' | RefusedStage;
  readonly missingBody: 'challenge' | Refused;
  /** A JWT of some user as stage; undefined: a stage that is not known. */
  readonly jwt?: 'acts_on_named' | Refused;
}

export interface AccountRules {
  /** Token-less `/account/password`: a reset by e-mail, where any password stage is judged too; or not at all. */
  readonly passwordWithoutToken: 'reset_by_email' | 'refused';
  /** A password stage there, which no one asked for. */
  readonly passwordStageAtReset: 'judged' | Refused;
  /** What closing an account answers. */
  readonly deactivated: JsonObject;
  /** An address that was not validated, at `3pid/add` and at the old `3pid`. */
  readonly unvalidatedAddress: Refused;
  readonly missingNewPassword: 'breaks_account' | Refused;
  /** `delete_devices` with an empty, null or missing list. */
  readonly noDevicesListed: 'deletes_all' | 'as_given';
  /** `delete_devices` without the list, and with another thing than a list (unless that deletes all). */
  readonly missingDeviceList: Refused;
  readonly malformedDeviceList: Refused;
}

export interface KeyRules {
  readonly identical: 'accepted' | 'challenge';
  /** Some of the live keys, the master key among them. */
  readonly subsetWithMaster: 'accepted' | 'challenge';
  readonly subsetWithoutMaster: 'accepted' | 'challenge';
  readonly noKeys: 'accepted' | 'challenge';
  readonly unsignedSelfSigning: Reaction;
}

export interface RegisterRules {
  readonly nameTaken: 'at_once' | 'at_the_end';
  readonly guest: 'accepted' | Refused;
  readonly unknownStage: 'challenge' | Refused;
  readonly passwordStage: 'judged' | Refused;
  readonly replay: 'new_token' | 'same_token' | Refused;
}

export interface LoginTokenRules {
  /** Milliseconds. */
  readonly lifetime: number;
  /** Milliseconds between two; the limit is looked at after the password. */
  readonly interval: number;
}

/** Everything that sets one homeserver apart from the others, as measured. */
export interface Personality {
  readonly name: PersonalityName;
  readonly routing: RoutingRules;
  readonly transport: TransportRules;
  readonly json: JsonRules;
  readonly tokens: TokenRules;
  readonly login: LoginRules;
  readonly passwords: PasswordRules;
  readonly uia: Readonly<Record<GuardedEndpoint, UiaRules>>;
  /** The flows offered at guarded endpoints. */
  readonly uiaFlows: readonly (readonly string[])[];
  readonly account: AccountRules;
  readonly keys: KeyRules;
  readonly register: RegisterRules;
  readonly loginTokens: LoginTokenRules;
  /** Whether `auth_metadata` is there if the operator does not switch it off. */
  readonly nativeOauth: boolean;
  /** `/.well-known/matrix/client` where the operator configured none. */
  readonly wellKnown: 'served' | Refused;
}
