import type { Json, JsonObject } from './wire.ts';

/** `auth` as `schemas/auth.json` has it. `null` and `{}` count as absent. */
export interface AuthShape extends JsonObject {
  type?: string | null;
  session?: string | null;
}

/** A request that may carry `auth`. */
export interface GuardedRequest extends JsonObject {
  auth?: AuthShape | null;
}

export interface LoginRequest extends GuardedRequest {
  /** Absent only where `auth` goes on with a session. */
  type?: string;
  /** An object or null where `type` is `m.login.password`; anything at all elsewhere. */
  identifier?: Json;
  user?: string | null;
  medium?: string | null;
  address?: string | null;
  password?: string | null;
  token?: string | null;
  device_id?: string | null;
  initial_device_display_name?: string | null;
  refresh_token?: boolean | null;
}

export interface RegisterRequest extends GuardedRequest {
  username?: string | null;
  password?: string | null;
  device_id?: string | null;
  initial_device_display_name?: string | null;
  inhibit_login?: boolean | null;
  refresh_token?: boolean | null;
}

export interface SetupRequest extends GuardedRequest {
  name?: string;
  replaces?: 'all' | string[];
}

export interface TotpConfirmRequest extends JsonObject {
  setup_id: string;
  token: string;
  recovery_codes?: boolean;
}

export interface WebauthnConfirmRequest extends JsonObject {
  setup_id: string;
  credential: {
    id: string;
    rawId: string;
    type: 'public-key';
    response: {
      clientDataJSON: string;
      attestationObject: string;
      transports?: string[];
    };
    clientExtensionResults?: { credProps?: { rk?: boolean } };
  };
  recovery_codes?: boolean;
}

export interface RemovalRequest extends GuardedRequest {
  authenticator_id?: string;
}

export interface RecoveryContactsRequest extends GuardedRequest {
  voters?: string[];
  contact?: { kind: 'mail' | 'phone'; address: string } | null;
  time_zone?: string | null;
  absences?: { from: string; to: string }[];
}

/** Name and password, as at a login. */
export interface RecoveryStatusRequest extends JsonObject {
  type: string;
  identifier: JsonObject;
  password: string;
}

export interface RecoveryBeginRequest extends RecoveryStatusRequest {
  /** An unused recovery code. */
  voucher?: string;
}

export interface RecoveryVoteRequest extends GuardedRequest {
  link?: string;
  vote?: 'yes' | 'no';
  how?: string;
}

export interface EnrolmentRequest extends JsonObject {
  session: string;
  factor: string;
  name?: string;
}

export interface EnrolmentConfirmRequest extends JsonObject {
  session: string;
  setup_id: string;
  recovery_codes?: boolean;
}

/** What a value of each shape is, as far as code reads its keys; the files under `schemas/` say all of it. */
export interface Shapes {
  // Answers of the OAuth 2.0 API
  oauth_metadata_answer: JsonObject;
  oauth_register_answer: JsonObject;
  oauth_token_answer: JsonObject;
  oauth_device_answer: JsonObject;
  oauth_keys_answer: JsonObject;
  oauth_error: JsonObject;
  // Requests of the Matrix client-server API
  login_request: LoginRequest;
  register_request: RegisterRequest;
  refresh_request: JsonObject & { refresh_token: string };
  delete_devices_request: GuardedRequest & { devices?: string[] };
  delete_device_request: GuardedRequest;
  account_password_request: GuardedRequest & { new_password?: string };
  account_deactivate_request: GuardedRequest;
  threepid_add_request: GuardedRequest;
  threepid_legacy_request: GuardedRequest;
  threepid_remove_request: GuardedRequest;
  device_signing_upload_request: GuardedRequest;
  get_token_request: GuardedRequest;
  // Requests of the two-factor API
  setup_request: SetupRequest;
  totp_confirm_request: TotpConfirmRequest;
  removal_request: RemovalRequest;
  webauthn_confirm_request: WebauthnConfirmRequest;
  two_factor_delete_request: GuardedRequest;
  recovery_request: GuardedRequest;
  authenticator_name_request: JsonObject & { name: string };
  device_password_answer: JsonObject;
  device_passwords_answer: JsonObject;
  device_password_name_request: JsonObject & { name: string };
  device_password_request: GuardedRequest & { name?: string };
  recovery_contacts_request: RecoveryContactsRequest;
  recovery_contacts_delete_request: GuardedRequest;
  recovery_vote_question: JsonObject & { link: string };
  recovery_vote_request: RecoveryVoteRequest;
  enrolment_request: EnrolmentRequest;
  recovery_begin_request: RecoveryBeginRequest;
  recovery_status_request: RecoveryStatusRequest;
  enrolment_confirm_request: EnrolmentConfirmRequest;
  page_session_request: JsonObject;
  // Parts of requests
  auth: AuthShape | null;
  stage_totp: AuthShape & { token?: string | null };
  stage_webauthn: AuthShape & { credential?: JsonObject | null };
  stage_recovery: AuthShape & { token?: string | null };
  stage_password: AuthShape & { password: string };
  stage_sso: AuthShape;
  stage_token: AuthShape & { token: string };
  name: string;
  user_identifier: (JsonObject & { type: string }) | null;
  // Answers
  challenge: JsonObject;
  error: JsonObject;
  empty_answer: JsonObject;
  login_answer: JsonObject;
  register_answer: JsonObject;
  refresh_answer: JsonObject;
  get_token_answer: JsonObject;
  unbind_answer: JsonObject;
  two_factor_state: JsonObject;
  totp_setup_answer: JsonObject;
  totp_confirm_answer: JsonObject;
  webauthn_setup_answer: JsonObject;
  webauthn_confirm_answer: JsonObject;
  enrolment_confirm_answer: JsonObject;
  recovery_state: JsonObject;
  recovery_codes_answer: JsonObject;
  history_answer: JsonObject;
  policy_answer: JsonObject;
  recovery_contacts_answer: JsonObject;
  recovery_begin_answer: JsonObject;
  recovery_status_answer: JsonObject;
  recovery_vote_answer: JsonObject;
  page_session_answer: JsonObject;
  versions_answer: JsonObject;
  login_flows_answer: JsonObject;
  well_known_client: JsonObject;
}

/** A shape by the name of its file under `schemas/`. */
export type ShapeName = keyof Shapes;
