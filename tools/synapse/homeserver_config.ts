import { join } from 'node:path';

/** What a test or the demo may choose about a Synapse; everything else is fixed. */
export interface SynapseChoices {
  readonly serverName: string;
  readonly port: number;
  readonly publicBaseUrl?: string;
  /** Whether anyone may register, with the `m.login.dummy` stage alone. */
  readonly openRegistration: boolean;
  /**
   * `generous`: limits that no test or demo reaches, and quick password hashing.
   * `synapse`: what Synapse does by itself (five logins an account, then one in 5½ minutes).
   */
  readonly limits: 'generous' | 'synapse';
  readonly logLevel: 'DEBUG' | 'INFO' | 'WARNING';
  /** Further top-level settings; they replace ours of the same name. */
  readonly extraConfig?: Readonly<Record<string, unknown>>;
}

export interface SynapseSecrets {
  readonly registrationSharedSecret: string;
  readonly macaroonSecretKey: string;
  readonly formSecret: string;
}

const NO_LIMIT = { per_second: 10_000, burst_count: 10_000 };

const GENEROUS = {
  rc_message: NO_LIMIT,
  rc_registration: NO_LIMIT,
  rc_registration_token_validity: NO_LIMIT,
  rc_login: { address: NO_LIMIT, account: NO_LIMIT, failed_attempts: NO_LIMIT },
  rc_joins: { local: NO_LIMIT, remote: NO_LIMIT },
  rc_joins_per_room: NO_LIMIT,
  rc_3pid_validation: NO_LIMIT,
  rc_invites: { per_room: NO_LIMIT, per_user: NO_LIMIT, per_issuer: NO_LIMIT },
  rc_media_create: NO_LIMIT,
  rc_room_creation: NO_LIMIT,
  // The lowest cost that bcrypt knows: a password check takes 1 ms instead of 250 ms.
  bcrypt_rounds: 4,
};

/** The files that a Synapse keeps in its folder. */
export function synapseFiles(directory: string) {
  return {
    config: join(directory, 'homeserver.yaml'),
    logConfig: join(directory, 'log.yaml'),
    log: join(directory, 'homeserver.log'),
    database: join(directory, 'homeserver.db'),
    mediaStore: join(directory, 'media_store'),
    signingKey: join(directory, 'signing.key'),
    secrets: join(directory, 'secrets.json'),
  };
}

/** The content of homeserver.yaml: SQLite, loopback only, no other servers. */
export function homeserverConfig(
  directory: string,
  choices: SynapseChoices,
  secrets: SynapseSecrets,
): Record<string, unknown> {
  const files = synapseFiles(directory);
  return {
    server_name: choices.serverName,
    ...(choices.publicBaseUrl === undefined ? {} : { public_baseurl: choices.publicBaseUrl }),
    listeners: [
      {
        port: choices.port,
        type: 'http',
        tls: false,
        bind_addresses: ['127.0.0.1'],
        x_forwarded: true,
        resources: [{ names: ['client', 'media'], compress: false }],
      },
    ],
    database: { name: 'sqlite3', args: { database: files.database } },
    pid_file: join(directory, 'homeserver.pid'),
    log_config: files.logConfig,
    media_store_path: files.mediaStore,
    signing_key_path: files.signingKey,
    trusted_key_servers: [],
    suppress_key_server_warning: true,
    federation_domain_whitelist: [],
    registration_shared_secret: secrets.registrationSharedSecret,
    macaroon_secret_key: secrets.macaroonSecretKey,
    form_secret: secrets.formSecret,
    enable_registration: choices.openRegistration,
    enable_registration_without_verification: choices.openRegistration,
    report_stats: false,
    presence: { enabled: false },
    ...(choices.limits === 'generous' ? GENEROUS : {}),
    ...choices.extraConfig,
  };
}

/** The content of Synapse's own log configuration: one file, flushed at once. */
export function logConfig(directory: string, level: SynapseChoices['logLevel']): Record<string, unknown> {
  return {
    version: 1,
    formatters: { plain: { format: '%(asctime)s %(name)s %(levelname)s %(request)s %(message)s' } },
    handlers: {
      file: { class: 'logging.FileHandler', formatter: 'plain', filename: synapseFiles(directory).log },
    },
    root: { level, handlers: ['file'] },
    disable_existing_loggers: false,
  };
}
