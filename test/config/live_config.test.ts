import { writeFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { changesOf } from '../../src/config/changes.ts';
import { digestOfSettings } from '../../src/config/digest.ts';
import { LiveConfig } from '../../src/config/live_config.ts';
import { type LoadedConfig, loadWithSettings } from '../../src/config/load.ts';
import { SETTINGS, type SettingRow } from '../../src/config/settings.ts';
import { type ConfigFolder, configFolder } from './config_files.ts';

let folder: ConfigFolder;

beforeEach(() => {
  folder = configFolder();
});

afterEach(() => folder.remove());

const load = (text: string): LoadedConfig => loadWithSettings(folder.write('config.yaml', text), {});

const PUBLIC = 'public_base_url: https://matrix.example.org';

/** Other values for all that can be read again, and for some that cannot. */
function loadOther(): LoadedConfig {
  folder.write('bridge.yaml', 'id: bridge\nas_token: first');
  folder.write('secret', 'syt_abc');
  folder.write('hook.secret', `whsec_${Buffer.alloc(24).toString('base64')}`);
  return load(`
${PUBLIC}
listen: 127.0.0.1:8011
trusted_proxies: [10.0.0.0/8]
application_services: [bridge.yaml]
login: { hold_ttl: 1m }
limits:
  per_address: { per_second: 7, burst_count: 8 }
  sign_in_per_user: { per_second: 9, burst_count: 10 }
  session_failures: 11
policy:
  default: forbidden
  users: { "@bob:example.org": optional }
  administrators: { policy: required }
  groups: [{ name: staff, members: ["@staff-*:example.org"] }]
  grace: 7d
  after_grace: block
  registration_grace: 1h
  factors: [totp]
  recovery: { codes: required, codes_for_changes: false, account_recovery: forbidden }
  device_passwords: forbidden
sso: { name: other, clients: ["https://app.example.org"] }
log: { level: debug, format: pretty }
notify:
  language: de
  mail: { from: 2fa@example.org, host: localhost, port: 26, security: tls, user: 2fa, password_file: secret }
  matrix: { user_id: "@2fa:example.org", access_token_file: secret }
  webhook: { url: "https://hook.example.org", secret_file: hook.secret, events: ["totp.*"] }
  sms: { url: "https://sms.example.org/{number}", method: PUT, headers: ["X-Key: {secret}"], format: form, body: "b={text}", secret_file: secret, prefixes: ["+49"] }
  retry_first: 6s
  give_up_after: 1h
`);
}

test('what can be read again changes in the view, also in what was taken out of it before; all else stays', () => {
  const start = load(PUBLIC);
  const next = loadOther();
  const live = new LiveConfig(start.config);
  const { view } = live;
  const { limits, sso } = view;
  const { perAddress, signInPerUser } = limits;
  expect(view).toEqual(start.config);

  live.take(next.config);

  const expected = {
    ...start.config,
    trustedProxies: ['10.0.0.0/8'],
    applicationServices: [{ id: 'bridge', asToken: 'first' }],
    limits: next.config.limits,
    notify: next.config.notify,
    policy: next.config.policy,
    sso: { ...start.config.sso, clients: ['https://app.example.org'] },
  };
  expect(view).toEqual(expected);
  // Other processes compare it with theirs.
  expect(digestOfSettings(view)).toBe(digestOfSettings(expected));
  expect([perAddress.perSecond, perAddress.burstCount]).toEqual([7, 8]);
  expect([signInPerUser.perSecond, signInPerUser.burstCount]).toEqual([9, 10]);
  expect([limits.sessionFailures, sso.clients]).toEqual([11, ['https://app.example.org']]);
});

test('users without a password can set a factor up from the restart on that gives us a registration, not before', () => {
  const start = load(PUBLIC);
  writeFileSync(`${folder.path}/own.yaml`, 'as_token: own', { mode: 0o600 });
  const next = load(
    `${PUBLIC}\nhomeserver: { appservice: { file: own.yaml } }\npolicy: { default: required }`,
  );
  const live = new LiveConfig(start.config);
  live.take(live.prepared(next.config));
  expect(live.view.policy).toMatchObject({ default: { mode: 'required' }, enrolsWithoutPassword: false });
  const restarted = new LiveConfig(next.config);
  restarted.take(restarted.prepared(start.config));
  expect(restarted.view.policy).toMatchObject({ default: { mode: 'optional' }, enrolsWithoutPassword: true });
});

test('changes are told by the names of settings: those that are taken, and those that need a restart', () => {
  const start = load(PUBLIC);
  const next = loadOther();
  const rows: readonly SettingRow[] = SETTINGS;
  // It stands in the place of an account with a token, which is what changes here.
  const others = rows.filter(({ path }) => path !== 'notify.matrix.appservice');
  const reloaded = others.filter(({ reload }) => reload === true).map(({ path }) => path);

  expect(changesOf(start, start, next)).toEqual({
    changed: reloaded,
    needsRestart: ['listen', 'login.hold_ttl', 'sso.name', 'log.format'],
  });
  expect(changesOf(start, next, next)).toEqual({
    changed: [],
    needsRestart: ['listen', 'login.hold_ttl', 'sso.name', 'log.format'],
  });
  expect(changesOf(start, start, load(PUBLIC))).toEqual({ changed: [], needsRestart: [] });
});

test('a registration file that changed is a change', () => {
  const before = loadOther();
  folder.write('bridge.yaml', 'id: bridge\nas_token: second');
  const after = loadWithSettings(`${folder.path}/config.yaml`, {});
  expect(changesOf(before, before, after).changed).toEqual(['application_services']);
});
