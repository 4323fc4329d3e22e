import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { type Config, ConfigError } from '../../src/config/config.ts';
import { configFile, loadConfig } from '../../src/config/load.ts';
import { type ConfigFolder, configFolder } from './config_files.ts';

let folder: ConfigFolder;
beforeEach(() => {
  folder = configFolder();
});
afterEach(() => folder.remove());

function load(text: string, environment: Record<string, string> = {}): Config {
  return loadConfig(folder.write('config.yaml', text), environment);
}

/** The one line that a configuration is refused with, without the folder. */
function refusal(text: string, environment: Record<string, string> = {}): string {
  try {
    load(text, environment);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    expect(error.message).not.toContain('\n');
    return error.message.replaceAll(`${folder.path}/`, '');
  }
  throw new Error('the configuration was taken');
}

const FIVE_LINES = `
listen: 127.0.0.1:8010
public_base_url: https://matrix.example.org
homeserver: { url: http://127.0.0.1:8008 }
storage: { type: sqlite, path: data/2fa.db }
keys: { file: data/keys.json }
`;

describe('a configuration that is fine', () => {
  test('of five lines gets every default', () => {
    expect(load(FIVE_LINES)).toEqual({
      listen: { host: '127.0.0.1', port: 8010 },
      publicBaseUrl: 'https://matrix.example.org',
      homeserver: { url: 'http://127.0.0.1:8008' },
      storage: { type: 'sqlite', path: join(folder.path, 'data/2fa.db'), migrate: 'auto' },
      keys: { source: { file: join(folder.path, 'data/keys.json') }, marks: undefined },
      trustedProxies: [],
      applicationServices: [],
      totp: { issuer: 'matrix.example.org', window: 1, algorithm: 'sha1', digits: 6, periodMs: 30_000 },
      webauthn: {
        rpId: 'matrix.example.org',
        rpName: 'matrix.example.org',
        origins: ['https://matrix.example.org'],
        userVerification: 'preferred',
        passwordless: false,
      },
      webauthnWanted: false,
      recovery: { count: 10 },
      login: { appendedCode: true, sso: true, holdTtlMs: 300_000 },
      uia: { sessionTtlMs: 600_000, maxSessions: 10_000 },
      account: { stepUpMs: 600_000, idleMs: 900_000, lifetimeMs: 28_800_000 },
      devicePasswords: { enabled: true, maxPerUser: 20 },
      limits: {
        perAddress: { perSecond: 2, burstCount: 60 },
        signInPerUser: { perSecond: 0.003, burstCount: 4 },
        sessionFailures: 5,
      },
      policy: {
        default: {
          mode: 'optional',
          grace: { durationMs: 0 },
          afterGrace: 'enrol',
          recoveryCodes: 'optional',
          codesForChanges: true,
          accountRecovery: 'allowed',
          devicePasswords: 'allowed',
        },
        users: {},
        administrators: { rule: {}, members: [], detect: true },
        groups: [],
        registrationGraceMs: 86_400_000,
        blocksSessions: false,
        enrolsWithoutPassword: false,
      },
      accountRecovery: {
        enabled: false,
        waitMs: 259_200_000,
        claimWindowMs: 604_800_000,
        administrators: false,
        noticeEveryMs: 604_800_000,
        onSessionUse: 'notify',
        operators: [],
        roomAdmins: false,
        publicNotice: false,
        calendar: {
          timeZone: 'UTC',
          workWeek: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'],
          holidays: undefined,
          absences: true,
        },
        vouch: { enabled: true, waitMs: 86_400_000 },
        votes: { enabled: false, quorum: 2, waitMs: 86_400_000, nominationAgeMs: 604_800_000 },
      },
      oauth: { enabled: false, deviceGrant: true, homeserverRefreshTokens: false, maxClients: 10_000 },
      sso: { name: 'password and code', preferred: undefined, clients: [] },
      brand: {
        name: 'matrix.example.org',
        logo: undefined,
        colour: '#2463c2',
        helpUrl: undefined,
        privacyUrl: undefined,
        showVersion: false,
        language: 'en',
        german: 'du',
        texts: [],
      },
      log: { level: 'info', format: 'json' },
      notify: {
        ...{ mail: undefined, matrix: undefined, webhook: undefined, sms: undefined },
        ...{ language: 'en', retryFirstMs: 5000, giveUpAfterMs: 172_800_000 },
      },
      metrics: { listen: undefined },
      admin: { listen: undefined, tokensFile: join(folder.path, 'data/admin_tokens.json') },
      audit: { keepMs: 400 * 24 * 3_600_000, keepAddressesMs: 90 * 24 * 3_600_000 },
    });
  });

  test('may be empty', () => {
    const config = load('');
    expect(config.publicBaseUrl).toBe('http://127.0.0.1:8010');
    expect(config.homeserver.url).toBe('http://127.0.0.1:8008');
  });

  test('may hold a section whose settings are all commented out', () => {
    expect(load('limits:\n  # session_failures: 7\n').limits.sessionFailures).toBe(5);
  });

  test('sets everything that can be set', () => {
    folder.write('logo.svg', '<svg/>');
    folder.write('bridge.yaml', 'id: bridge\nas_token: abc\nhs_token: def\nurl: null\n');
    const config = load(`
listen: "[::1]:0"
public_base_url: https://matrix.example.org/
trusted_proxies: [10.0.0.0/8, "fd00::/8", 192.0.2.1]
application_services: [bridge.yaml]
totp: { issuer: Example, window: 2, algorithm: sha256, digits: 8, period: 60 }
recovery: { count: 4 }
login: { appended_code: false, sso: false, hold_ttl: 90s }
uia: { session_ttl: 2h, max_sessions: 5 }
account: { step_up: 0, idle: 5m, lifetime: 1h }
limits:
  per_address: { per_second: 0.5, burst_count: 3 }
  sign_in_per_user: { per_second: 1, burst_count: 2 }
  session_failures: 3
sso: { name: Two steps, preferred: true, clients: ["https://app.example.org", "io.example.app:/", "http://localhost:8080"] }
brand: { name: Example, logo: logo.svg, colour: "#AABBCC", help_url: "mailto:help@example.org" }
log: { level: debug, format: pretty }
`);
    expect(config).toMatchObject({
      listen: { host: '::1', port: 0 },
      publicBaseUrl: 'https://matrix.example.org',
      trustedProxies: ['10.0.0.0/8', 'fd00::/8', '192.0.2.1'],
      applicationServices: [{ id: 'bridge', asToken: 'abc' }],
      totp: { issuer: 'Example', window: 2, algorithm: 'sha256', digits: 8, periodMs: 60_000 },
      recovery: { count: 4 },
      login: { appendedCode: false, sso: false, holdTtlMs: 90_000 },
      uia: { sessionTtlMs: 7_200_000, maxSessions: 5 },
      account: { stepUpMs: 0, idleMs: 300_000, lifetimeMs: 3_600_000 },
      limits: {
        perAddress: { perSecond: 0.5, burstCount: 3 },
        signInPerUser: { perSecond: 1, burstCount: 2 },
        sessionFailures: 3,
      },
      sso: {
        name: 'Two steps',
        preferred: true,
        clients: ['https://app.example.org', 'io.example.app:', 'http://localhost:8080'],
      },
      brand: {
        name: 'Example',
        logo: { mediaType: 'image/svg+xml', bytes: Buffer.from('<svg/>') },
        colour: '#aabbcc',
        helpUrl: 'mailto:help@example.org',
        privacyUrl: undefined,
        showVersion: false,
        language: 'en',
        german: 'du',
        texts: [],
      },
      log: { level: 'debug', format: 'pretty' },
    });
  });

  test('keys may be a credential of systemd, or what a command prints', () => {
    const marks = join(folder.path, 'marks.json');
    expect(load('keys: { credential: keys.json, marks: marks.json }').keys).toEqual({
      source: { credential: 'keys.json', folder: undefined },
      marks,
    });
    expect(
      load('keys: { credential: keys.json, marks: marks.json }', { CREDENTIALS_DIRECTORY: '/run/c' }).keys,
    ).toEqual({ source: { credential: 'keys.json', folder: '/run/c' }, marks });
    expect(load('keys: { command: [vault, read, keys], timeout: 3s, marks: marks.json }').keys).toEqual({
      source: { command: ['vault', 'read', 'keys'], timeoutMs: 3_000 },
      marks,
    });
  });

  test('takes absolute paths as they are', () => {
    expect(load('keys: { file: /etc/two-factor/keys.json }').keys.source).toEqual({
      file: '/etc/two-factor/keys.json',
    });
  });

  test.each([
    ['45', 45_000],
    ['"45"', 45_000],
    ['45s', 45_000],
    ['5m', 300_000],
    ['1h', 3_600_000],
  ])('reads a duration of %s', (written, milliseconds) => {
    expect(load(`login: { hold_ttl: ${written} }`).login.holdTtlMs).toBe(milliseconds);
  });

  test('reads days', () => {
    expect(load('uia: { session_ttl: 1d }').uia.sessionTtlMs).toBe(86_400_000);
  });

  test.each(['http://localhost', 'http://127.0.0.5:8010', 'http://[::1]:8010'])(
    'may be plain http on loopback: %s',
    (url) => {
      expect(load(`public_base_url: "${url}"`).publicBaseUrl).toBe(url);
    },
  );
});

describe('the environment', () => {
  test('replaces what the file says', () => {
    const config = load(FIVE_LINES, {
      MATRIX_2FA_LISTEN: '127.0.0.1:9000',
      MATRIX_2FA_HOMESERVER_URL: 'http://synapse:8008',
      MATRIX_2FA_STORAGE_PATH: '/var/lib/two-factor/2fa.db',
      MATRIX_2FA_LOG_LEVEL: 'warn',
    });
    expect(config).toMatchObject({
      listen: { port: 9000 },
      homeserver: { url: 'http://synapse:8008' },
      storage: { path: '/var/lib/two-factor/2fa.db' },
      log: { level: 'warn' },
    });
  });

  test('is named where a value of it is wrong', () => {
    expect(refusal(FIVE_LINES, { MATRIX_2FA_LOG_LEVEL: 'loud' })).toBe(
      'MATRIX_2FA_LOG_LEVEL (log.level): must be one of debug, info, warn, error',
    );
  });

  test('names the file to read, unless one is asked for', () => {
    const environment = { MATRIX_2FA_CONFIG: '/etc/two-factor.yaml' };
    expect(configFile(undefined, environment)).toBe('/etc/two-factor.yaml');
    expect(configFile('mine.yaml', environment)).toBe('mine.yaml');
    expect(configFile(undefined, {})).toBe('config.yaml');
  });
});

describe('a configuration that is wrong is refused with one line:', () => {
  test.each([
    [
      'an unknown setting',
      'listne: 1',
      'config.yaml:1: listne: there is no such setting; did you mean "listen"?',
    ],
    [
      'an unknown setting in a section',
      'log: {}\nlogin:\n  sso: true\n  hold_tll: 5m',
      'config.yaml:4: login.hold_tll: there is no such setting; did you mean "hold_ttl"?',
    ],
    [
      'an unknown setting in a rate limit',
      'limits: { per_address: { per_second: 1, burst: 2, burst_count: 2 } }',
      'config.yaml:1: limits.per_address.burst: there is no such setting; did you mean "burst_count"?',
    ],
    [
      'half a rate limit',
      'limits: { per_address: { per_second: 1 } }',
      'config.yaml:1: limits.per_address: needs burst_count',
    ],
    [
      'a wrong choice',
      'log: { level: trace }',
      'config.yaml:1: log.level: must be one of debug, info, warn, error',
    ],
    ['a wrong type', 'login: { sso: maybe }', 'config.yaml:1: login.sso: must be boolean'],
    [
      'a colour by name',
      'brand: { colour: red }',
      'config.yaml:1: brand.colour: must be a colour such as #2463c2',
    ],
    [
      'a place for help that is none',
      'brand: { help_url: "javascript:alert(1)" }',
      'config.yaml:1: brand.help_url: must be a URL that begins with https:// or mailto:',
    ],
    [
      'a logo of no use',
      'brand: { logo: a.bmp }',
      'config.yaml:1: brand.logo: must be an SVG, PNG or WebP file',
    ],
    ['a logo that is not there', 'brand: { logo: a.svg }', 'config.yaml:1: brand.logo: cannot read a.svg'],
    ['a wrong number', 'recovery: { count: 3 }', 'config.yaml:1: recovery.count: must be >= 4'],
    [
      'no duration',
      'login:\n  hold_ttl: five minutes',
      'config.yaml:2: login.hold_ttl: must be a duration such as 30s, 5m, 2h, 7d or seconds',
    ],
    [
      'too long a hold',
      'login: { hold_ttl: 2h }',
      'config.yaml:1: login.hold_ttl: must be between 1 and 3600 seconds',
    ],
    [
      'a listen address without a port',
      'listen: 127.0.0.1',
      'config.yaml:1: listen: must be host:port, such as 127.0.0.1:8010 or [::1]:8010',
    ],
    [
      'a port that is none',
      'listen: 127.0.0.1:70000',
      'config.yaml:1: listen: must be host:port, such as 127.0.0.1:8010 or [::1]:8010',
    ],
    [
      'passwords in the clear',
      'public_base_url: http://matrix.example.org',
      'config.yaml:1: public_base_url: must begin with https:// (http:// is for loopback addresses only)',
    ],
    [
      'passwords in the clear on an address that looks like loopback',
      'public_base_url: http://127.0.0.1.example.org',
      'config.yaml:1: public_base_url: must begin with https:// (http:// is for loopback addresses only)',
    ],
    [
      'no public address beyond loopback',
      'listen: 0.0.0.0:8010',
      'config.yaml: public_base_url: is missing: say which address clients use',
    ],
    [
      'a homeserver address with a path',
      'homeserver: { url: "http://127.0.0.1:8008/_matrix" }',
      'config.yaml:1: homeserver.url: must end after the host, as in http://127.0.0.1:8008',
    ],
    [
      'a homeserver address with a password',
      'homeserver: { url: "http://me:secret@127.0.0.1:8008" }',
      'config.yaml:1: homeserver.url: must not hold a user name or password',
    ],
    [
      'a homeserver address of another kind',
      'homeserver: { url: "ftp://127.0.0.1" }',
      'config.yaml:1: homeserver.url: must be a URL that begins with https:// or http://',
    ],
    [
      'a range that is none',
      'trusted_proxies:\n  - 10.0.0.1\n  - 10.0.0.0/33',
      'config.yaml:3: trusted_proxies.1: must be an address or a range such as 10.0.0.0/8',
    ],
    [
      'an address that is compared without its zone',
      'trusted_proxies: ["fe80::1%br-lan"]',
      'config.yaml:1: trusted_proxies.0: must not hold a zone: leave % and what follows out',
    ],
    [
      'a client that runs code',
      'sso: { clients: ["javascript:alert(1)"] }',
      'config.yaml:1: sso.clients.0: javascript: is never a client',
    ],
    ['no mapping', '- listen', 'config.yaml: must hold settings, each as "name: value"'],
    ['a setting twice', 'listen: a:1\nlisten: b:2', 'config.yaml:2: Map keys must be unique'],
  ])('%s', (_what, text, line) => {
    expect(refusal(text)).toBe(line);
  });

  test.each([
    ['{ type: postgres }', 'storage.url: must be given for storage.type postgres'],
    ['{ url: postgres://me@db/two_factor }', 'storage.url: is for storage.type postgres only'],
    ['{ tls: require }', 'storage.tls: is for storage.type postgres only'],
    [
      '{ type: postgres, url: mysql://me@db/two_factor }',
      'storage.url: must be a URL such as postgres://user@host:5432/database',
    ],
    [
      '{ type: postgres, url: "postgres://me@db/two_factor?sslmode=disable" }',
      'storage.url: must not hold sslmode: only host, for the folder of a socket',
    ],
    [
      '{ type: postgres, url: postgres://db/two_factor }',
      'storage.url: must name a user and a database: postgres://user@host:5432/database',
    ],
  ])('a database that cannot be meant: %s', (storage, line) => {
    expect(refusal(`storage: ${storage}`)).toBe(`config.yaml:1: ${line}`);
  });

  test.each([
    ['postgres://me@db.example.org/m', 'verify-full'],
    ['postgres://me@10.0.0.1/m', 'verify-full'],
    ['postgres://me@127.0.0.1/m', 'disable'],
    ['postgres://me@[::1]/m', 'disable'],
    ['postgres://me@db.example.org/m?host=/run/postgresql', 'disable'],
  ])('connections to %s are encrypted as they need: %s', (url, tls) => {
    const text = FIVE_LINES.replace(/storage: .*/, `storage: { type: postgres, url: "${url}" }`);
    expect(load(text).storage).toMatchObject({ type: 'postgres', tls });
  });

  test.each([
    [
      'file: k.json\n  credential: k',
      ':3: keys.credential: cannot be set beside keys.file: the keys come from one place',
    ],
    [
      'command: [k]\n  file: k.json',
      ':2: keys.command: cannot be set beside keys.file: the keys come from one place',
    ],
    [
      'credential: k',
      ':2: keys.credential: needs keys.marks beside it: a file that can be written (docs/operate.md)',
    ],
    [
      'command: [k]',
      ':2: keys.command: needs keys.marks beside it: a file that can be written (docs/operate.md)',
    ],
    [
      'marks: m.json\n  credential: ../k',
      ':3: keys.credential: must be the name of a credential, without a folder',
    ],
    [
      'marks: m.json\n  credential: ""',
      ':3: keys.credential: must be the name of a credential, without a folder',
    ],
    ['marks: m.json\n  command: []', ':3: keys.command: must be a list: a program and its arguments'],
    ['marks: m.json\n  command: print-keys', ':3: keys.command: must be array'],
    ['marks: m.json\n  command: [k]\n  timeout: 2m', ':4: keys.timeout: must be between 1 and 60 seconds'],
  ])('keys that cannot be meant: %s', (keys, line) => {
    expect(refusal(`keys:\n  ${keys}`)).toBe(`config.yaml${line}`);
  });

  test('a variable for the key file beside a credential', () => {
    const keys = 'keys: { credential: keys.json, marks: m.json }';
    expect(refusal(keys, { MATRIX_2FA_KEYS_FILE: '/etc/keys.json' })).toBe(
      'config.yaml:1: keys.credential: cannot be set beside keys.file: the keys come from one place',
    );
  });

  test('a file that is not there', () => {
    const missing = join(folder.path, 'other.yaml');
    expect(() => loadConfig(missing, {})).toThrow(
      `${missing}: there is no such file ("matrix-2fa-proxy init" makes one)`,
    );
  });
});

describe('registration files of application services', () => {
  test('that are missing are named', () => {
    expect(refusal('application_services: [bridge.yaml]')).toBe(
      'config.yaml:1: application_services.0: bridge.yaml cannot be read (ENOENT)',
    );
  });

  test('without a token are refused', () => {
    folder.write('bridge.yaml', 'id: bridge\n');
    expect(refusal('application_services: [bridge.yaml]')).toBe(
      'config.yaml:1: application_services.0: bridge.yaml has no as_token',
    );
  });

  test('that are broken are refused without a word of what is in them', () => {
    folder.write('bridge.yaml', 'as_token: "SECRET\n');
    const line = refusal('application_services: [bridge.yaml]');
    expect(line).toBe('config.yaml:1: application_services.0: bridge.yaml is not valid YAML');
  });
});
