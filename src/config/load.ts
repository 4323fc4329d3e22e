import { dirname, resolve } from 'node:path';
import type { StorageSettings } from '../storage/open_storage.ts';
import { readApplicationService } from './application_services.ts';
import { checkSettings, isWritten } from './check_settings.ts';
import {
  type ApplicationService,
  type Config,
  ConfigError,
  type ListenAddress,
  type Picture,
  type RateLimit,
  type TextsFile,
} from './config.ts';
import { accountRecoveryFrom } from './load_account_recovery.ts';
import { homeserverFrom } from './load_homeserver.ts';
import { keysFrom } from './load_keys.ts';
import { listenersFrom } from './load_listeners.ts';
import { notifyFrom } from './load_notify.ts';
import { policyFrom } from './load_policy.ts';
import { languageTag, readTexts } from './load_texts.ts';
import { webauthnFrom } from './load_webauthn.ts';
import { readPicture } from './picture.ts';
import { isOnThisMachine, parsePostgresUrl } from './postgres_url.ts';
import { type PathOfType, type Settings, settingAt } from './settings.ts';
import { type ConfigSource, type Environment, readConfigSource, type SettingPath } from './source.ts';
import {
  BadValue,
  isLoopback,
  parseClient,
  parseColour,
  parseDuration,
  parseHelpUrl,
  parseNetwork,
  parsePageUrl,
  parsePublicOrigin,
} from './values.ts';

/**
 * The configuration file to use: the one asked for, else `MATRIX_2FA_CONFIG`, else `config.yaml` in the
 * working directory.
 */
export function configFile(asked: string | undefined, environment: Environment): string {
  return asked ?? (environment.MATRIX_2FA_CONFIG || 'config.yaml');
}

/** A configuration, with its settings as they were written. */
export interface LoadedConfig {
  readonly config: Config;
  readonly settings: Settings;
}

/**
 * Reads, checks and completes a configuration. Relative paths in it are relative to its file.
 *
 * @throws ConfigError with one line that says what is wrong and where
 */
export function loadConfig(file: string, environment: Environment): Config {
  return loadWithSettings(file, environment).config;
}

/** As `loadConfig`. @throws ConfigError */
export function loadWithSettings(file: string, environment: Environment): LoadedConfig {
  const source = readConfigSource(file, environment);
  const settings = checkSettings(source);
  return { config: buildConfig(settings, source, environment), settings };
}

function buildConfig(settings: Settings, source: ConfigSource, environment: Environment): Config {
  const at = reader(source);
  const folder = dirname(resolve(source.file));
  const absolute = (path: string) => resolve(folder, path);
  const durationAt = (path: PathOfType<'duration'>, written: string | number) =>
    at(path.split('.'), () => parseDuration(written, settingAt(path)));

  const { listen, metrics, admin } = listenersFrom(settings, at);
  const publicBaseUrl = at(['public_base_url'], () => publicOrigin(settings.public_base_url, listen));
  const homeserver = homeserverFrom(settings.homeserver, { at, absolute, source, listen });
  const hasAppservice = homeserver.appservice !== undefined;
  const webauthn = webauthnFrom(settings.webauthn, publicBaseUrl, at, hasAppservice);
  return {
    listen,
    publicBaseUrl,
    homeserver,
    storage: storageFrom(settings.storage, { at, absolute }),
    keys: keysFrom(settings.keys, { at, absolute, source, environment }),
    trustedProxies: settings.trusted_proxies.map((network, index) =>
      at(['trusted_proxies', index], () => parseNetwork(network)),
    ),
    applicationServices: settings.application_services.map((path, index) =>
      at(['application_services', index], () => listedService(absolute(path), homeserver)),
    ),
    totp: {
      issuer: settings.totp.issuer ?? new URL(publicBaseUrl).hostname,
      window: settings.totp.window,
      algorithm: settings.totp.algorithm,
      digits: settings.totp.digits,
      periodMs: durationAt('totp.period', settings.totp.period),
    },
    webauthn,
    webauthnWanted: settings.webauthn.enabled && isWritten(source.settings, ['webauthn']),
    recovery: { count: settings.recovery.count },
    login: {
      appendedCode: settings.login.appended_code,
      sso: settings.login.sso,
      holdTtlMs: durationAt('login.hold_ttl', settings.login.hold_ttl),
    },
    uia: {
      sessionTtlMs: durationAt('uia.session_ttl', settings.uia.session_ttl),
      maxSessions: settings.uia.max_sessions,
    },
    account: {
      stepUpMs: durationAt('account.step_up', settings.account.step_up),
      idleMs: durationAt('account.idle', settings.account.idle),
      lifetimeMs: durationAt('account.lifetime', settings.account.lifetime),
    },
    devicePasswords: {
      enabled: settings.device_passwords.enabled,
      maxPerUser: settings.device_passwords.max_per_user,
    },
    limits: {
      perAddress: rateLimit(settings.limits.per_address),
      signInPerUser: rateLimit(settings.limits.sign_in_per_user),
      sessionFailures: settings.limits.session_failures,
    },
    policy: policyFrom(
      settings.policy,
      durationAt('policy.registration_grace', settings.policy.registration_grace),
      {
        ...{ at, absolute, hasWebauthn: webauthn !== undefined },
        // Their proof is a page, and the homeserver's single sign-on.
        enrolsWithoutPassword: hasAppservice && settings.login.sso,
      },
    ),
    accountRecovery: accountRecoveryFrom(settings.account_recovery, {
      at,
      absolute,
      hasAppservice: homeserver.appservice !== undefined,
    }),
    sso: {
      name: settings.sso.name,
      preferred: settings.sso.preferred,
      clients: settings.sso.clients.map((client, index) =>
        at(['sso', 'clients', index], () => parseClient(client)),
      ),
    },
    oauth: {
      enabled: settings.oauth.enabled,
      deviceGrant: settings.oauth.device_grant,
      homeserverRefreshTokens: settings.oauth.homeserver_refresh_tokens,
      maxClients: settings.oauth.max_clients,
    },
    brand: {
      name: settings.brand.name ?? new URL(publicBaseUrl).hostname,
      logo: at(['brand', 'logo'], () => logoIn(settings.brand.logo, absolute)),
      colour: at(['brand', 'colour'], () => parseColour(settings.brand.colour)),
      helpUrl: at(['brand', 'help_url'], () => ifGiven(settings.brand.help_url, parseHelpUrl)),
      privacyUrl: at(['brand', 'privacy_url'], () => ifGiven(settings.brand.privacy_url, parsePageUrl)),
      showVersion: settings.brand.show_version,
      language: at(['brand', 'language'], () => languageTag(settings.brand.language)),
      german: settings.brand.german,
      texts: at(['brand', 'texts'], () => textsIn(settings.brand.texts, absolute)),
    },
    log: settings.log,
    notify: notifyFrom(settings.notify, { at, absolute, source, registration: homeserver.appservice }),
    metrics: { listen: metrics },
    admin: { listen: admin, tokensFile: absolute(settings.admin.tokens_file) },
    audit: {
      keepMs: durationAt('audit.keep', settings.audit.keep),
      keepAddressesMs: durationAt('audit.keep_addresses', settings.audit.keep_addresses),
    },
  };
}

/** @throws BadValue */
function listedService(file: string, { appservice }: Config['homeserver']): ApplicationService {
  const service = readApplicationService(file);
  if (service.asToken !== appservice?.asToken) return service;
  throw new BadValue(`${file} is homeserver.appservice: what is listed here needs no second factor`);
}

interface StorageReader {
  readonly at: ReturnType<typeof reader>;
  absolute(path: string): string;
}

function storageFrom(settings: Settings['storage'], { at, absolute }: StorageReader): StorageSettings {
  if (settings.type === 'sqlite') {
    for (const name of ['url', 'password_file', 'tls', 'ca_file'] as const) {
      at(['storage', name], () => refuseForSqlite(settings[name]));
    }
    return { type: 'sqlite', path: absolute(settings.path), migrate: settings.migrate };
  }
  const url = at(['storage', 'url'], () => parsePostgresUrl(settings.url));
  return {
    type: 'postgres',
    url,
    passwordFile: settings.password_file === undefined ? undefined : absolute(settings.password_file),
    tls: settings.tls ?? (isOnThisMachine(url) ? 'disable' : 'verify-full'),
    caFile: settings.ca_file === undefined ? undefined : absolute(settings.ca_file),
    pool: settings.pool,
    migrate: settings.migrate,
  };
}

function refuseForSqlite(value: string | undefined): void {
  if (value !== undefined) throw new BadValue('is for storage.type postgres only');
}

/** Runs `read`; a value that it refuses becomes a `ConfigError` that names the setting. */
function reader(source: ConfigSource): <T>(path: SettingPath, read: () => T) => T {
  return (path, read) => {
    try {
      return read();
    } catch (error) {
      if (error instanceof BadValue) throw new ConfigError(`${source.where(path)}: ${error.message}`, error);
      throw error;
    }
  };
}

function publicOrigin(written: string | undefined, listen: ListenAddress): string {
  if (written !== undefined) return parsePublicOrigin(written);
  if (!isLoopback(listen.host)) throw new BadValue('is missing: say which address clients use');
  const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
  return parsePublicOrigin(`http://${host}:${listen.port}`);
}

function logoIn(path: string | undefined, absolute: (path: string) => string): Picture | undefined {
  return path === undefined ? undefined : readPicture(absolute(path));
}

function textsIn(path: string | undefined, absolute: (path: string) => string): readonly TextsFile[] {
  return path === undefined ? [] : readTexts(absolute(path));
}

function ifGiven<T>(written: string | undefined, parse: (text: string) => T): T | undefined {
  return written === undefined ? undefined : parse(written);
}

function rateLimit(setting: Settings['limits']['per_address']): RateLimit {
  return { perSecond: setting.per_second, burstCount: setting.burst_count };
}
