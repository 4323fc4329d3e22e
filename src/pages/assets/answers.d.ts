/** What the server answers, for the scripts: written by npm run generate from schemas/. */

/** The 401 of User-Interactive Authentication: what is still to be done. All four keys are always there. */
export type Challenge = {
  session: string;
  flows: {
    stages: string[];
  }[];
  params: Record<string, unknown>;
  completed: string[];
  'org.matrix.2fa.owes_enrolment'?: {
    setup_url: string;
    deadline_ts: number;
  };
  errcode?: string;
  error?: string;
};

/** The only time that the secret is shown. */
export type DevicePasswordAnswer = {
  id: string;
  device_password: string;
  device_id: string;
  name: Name;
  created_at: number;
};

/** The device passwords of the caller, never a secret. */
export type DevicePasswordsAnswer = {
  device_passwords: {
    id: string;
    name: Name;
    device_id: string;
    created_at: number;
    last_used_at: number | null;
    last_used_address: string | null;
    expires_at: number | null;
    usable: boolean;
  }[];
};

/** Done; there is nothing to tell. */
export type EmptyAnswer = Record<string, unknown>;

/** The standard error response of the Matrix specification. It never carries a token. */
export type ErrorAnswer = {
  errcode: string;
  error: string;
  retry_after_ms?: number;
  soft_logout?: boolean;
  'org.matrix.2fa.owes_enrolment'?: {
    setup_url: string;
    deadline_ts: number;
  };
};

/** What happened to the caller's own account, the newest first. It never holds a secret. */
export type HistoryAnswer = {
  events: {
    at: number;
    event: string;
    address: string | null;
    device_id: string | null;
    detail: {
      authenticator?: string;
      factor?: string;
      position?: number;
      remaining?: number;
      stage?: string;
      action?: string;
      devices?: number;
    };
  }[];
};

/** The session of the account page, for its script. */
export type PageSessionAnswer = {
  user_id: string;
  device_id: string;
  access_token: string;
  page_key: string;
  step_up_until_ts: number | null;
  idle_ms: number;
  ends_ts: number;
  factor: string | null;
  codes_left: number | null;
  has_password: boolean | null;
};

/** A new set of recovery codes; the old ones are dead. */
export type RecoveryCodesAnswer = {
  recovery_codes: string[];
  generated_at: number;
};

/** What counts for the recovery of the account of the caller. */
export type RecoveryContactsAnswer = {
  allowed: boolean;
  voters: {
    user_id: string;
    named_ts: number;
    counts_from_ts: number;
  }[];
  contact: {
    kind: 'mail' | 'phone';
    address: string;
    confirmed_ts: number | null;
  } | null;
  time_zone: string | null;
  server_time_zone: string;
  absences: {
    from: string;
    to: string;
  }[];
  available: {
    voters: boolean;
    mail: boolean;
    phone: boolean;
    absences: boolean;
  };
};

/** A recovery that the caller is asked about. */
export type RecoveryVoteAnswer = {
  user_id: string;
  begun_ts: number;
  open: boolean;
  vote: 'yes' | 'no' | null;
  voted_ts: number | null;
};

/** How many recovery codes are left and when the others were used. It never shows a code. */
export type RecoveryState = {
  remaining: number;
  total: number;
  generated_at: number | null;
  codes: {
    position: number;
    used_at: number | null;
  }[];
};

/** The authenticator is active. Recovery codes stand here only where new ones were made. */
export type TotpConfirmAnswer = {
  authenticator_id: string;
  recovery_codes: string[];
};

/** A pending authenticator. It lets no one in before it is confirmed. */
export type TotpSetupAnswer = {
  seed: string;
  uri: string;
  params: {
    type: 'm.totp.v1.rfc6238-sha1' | 'm.totp.v1.rfc6238-sha256' | 'm.totp.v1.rfc6238-sha512';
    step: number;
    size: number;
  };
  setup_id: string;
  expires_ts: number;
  recovery_codes: 'new' | 'kept' | 'none';
};

/** Which factors the user has. It never shows a secret. */
export type TwoFactorState = {
  enabled: boolean;
  providers: {
    'm.login.2fa.totp'?: {
      authenticators: {
        id: string;
        name: string;
        enabled_at: number;
        last_used_at: number | null;
      }[];
    };
    'm.login.2fa.webauthn'?: {
      authenticators: {
        id: string;
        name: string;
        enabled_at: number;
        last_used_at: number | null;
        backed_up: boolean;
        discoverable: boolean | null;
        usable: boolean;
        counter_alert_at: number | null;
      }[];
    };
    'm.login.2fa.recovery'?: RecoveryState;
  };
};

/** A pending passkey or security key. It lets no one in before it is confirmed. */
export type WebauthnSetupAnswer = {
  public_key: {
    rp: {
      id: string;
      name: string;
    };
    user: {
      id: string;
      name: string;
      displayName: string;
    };
    challenge: string;
    pubKeyCredParams: {
      type: 'public-key';
      alg: number;
    }[];
    timeout: number;
    excludeCredentials: {
      type: 'public-key';
      id: string;
      transports: string[];
    }[];
    authenticatorSelection: {
      residentKey: 'preferred';
      userVerification: 'required' | 'preferred' | 'discouraged';
    };
    attestation: 'none';
    extensions: {
      credProps: true;
    };
  };
  setup_id: string;
  expires_ts: number;
  recovery_codes: 'new' | 'kept' | 'none';
};

/** Where clients find the server: the proxy, and no OAuth beside it. */
export type WellKnownClient = {
  'm.homeserver': {
    base_url: string;
  };
  'm.identity_server'?: {
    base_url: string;
  };
};
