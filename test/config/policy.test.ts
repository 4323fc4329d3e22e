import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { changesOf } from '../../src/config/changes.ts';
import { loadConfig, loadWithSettings } from '../../src/config/load.ts';
import { type ConfigFolder, configFolder } from './config_files.ts';

const DAY = 86_400_000;

let folder: ConfigFolder;
beforeEach(() => {
  folder = configFolder();
});
afterEach(() => folder.remove());

const policyOf = (text: string) => loadConfig(folder.write('config.yaml', text), {}).policy;

function refusal(text: string): string {
  const file = folder.write('config.yaml', text);
  try {
    loadConfig(file, {});
  } catch (error) {
    return (error as Error).message.replaceAll(`${folder.path}/`, '');
  }
  throw new Error('it was taken');
}

test('without the section nothing is asked of anyone', () => {
  expect(policyOf('')).toEqual({
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
    registrationGraceMs: DAY,
    blocksSessions: false,
    enrolsWithoutPassword: false,
  });
});

test('everything that can stand in it is read', () => {
  folder.write('bots.txt', '# ours\n@bot1:example.org\n\n  @bot-*:example.org \n');
  const policy = policyOf(`
policy:
  default: required
  users: { "@bob:example.org": forbidden, "@eve:example.org": { grace: 2027-03-31 } }
  administrators: { policy: required, after_grace: block, members: ["@root:example.org"], detect: false }
  groups:
    - { name: staff, members: ["@staff-*:example.org"], policy: required, grace: 30d, factors: [totp] }
    - { name: bots, members_file: bots.txt, recovery: { codes: off, codes_for_changes: false, account_recovery: forbidden } }
  grace: 3600
  recovery: { codes: required }
`);
  expect(policy.default).toMatchObject({ mode: 'required', grace: { durationMs: 3_600_000 } });
  expect([policy.default.recoveryCodes, policy.blocksSessions]).toEqual(['required', true]);
  expect(policy.users).toEqual({
    '@bob:example.org': { mode: 'forbidden' },
    '@eve:example.org': { grace: { until: Date.UTC(2027, 2, 31) } },
  });
  expect(policy.administrators).toEqual({
    rule: { mode: 'required', afterGrace: 'block' },
    members: ['@root:example.org'],
    detect: false,
  });
  expect(policy.groups).toEqual([
    {
      name: 'staff',
      members: ['@staff-*:example.org'],
      rule: { mode: 'required', grace: { durationMs: 30 * DAY }, factors: ['totp'] },
    },
    {
      name: 'bots',
      members: ['@bot1:example.org', '@bot-*:example.org'],
      rule: { recoveryCodes: 'off', codesForChanges: false, accountRecovery: 'forbidden' },
    },
  ]);
});

describe('what cannot be meant is refused with its line', () => {
  test.each([
    [
      'a mode',
      'policy: { default: mandatory }',
      'config.yaml:1: policy.default: must be one of optional, required, forbidden',
    ],
    [
      'the mode of a user',
      'policy:\n  users:\n    "@bob:example.org": never',
      'config.yaml:3: policy.users.@bob:example.org: must be one of optional, required, forbidden',
    ],
    [
      'a user who is none',
      'policy:\n  users:\n    bob: required',
      'config.yaml:3: policy.users.bob: is not a user id such as @bob:example.org',
    ],
    [
      'a pattern in the place of a user',
      'policy: { users: { "@b*:example.org": required } }',
      'config.yaml:1: policy.users.@b*:example.org: is not a user id such as @bob:example.org',
    ],
    [
      'a pattern of no user',
      'policy:\n  groups:\n    - name: staff\n      members: ["@a:example.org", "staff-*"]',
      'config.yaml:4: policy.groups.0.members.1: "staff-*" is not a user id such as @staff-*:example.org',
    ],
    [
      'any server',
      'policy: { administrators: { members: ["@root:*"] } }',
      'config.yaml:1: policy.administrators.members.0: "@root:*" is not a user id such as @staff-*:example.org',
    ],
    [
      'a factor',
      'policy: { factors: [sms] }',
      'config.yaml:1: policy.factors.0: must be one of totp, webauthn',
    ],
    [
      'a factor that is off',
      'webauthn: { enabled: false }\npolicy: { factors: [webauthn] }',
      'config.yaml:2: policy.factors: names only webauthn, which is off (webauthn.enabled, or public_base_url has an IP address)',
    ],
    [
      'no factor at all',
      'policy: { default: required, factors: [] }',
      'config.yaml:1: policy.factors: names none: leave it out for all that there are; policy: forbidden is for those who may set up none',
    ],
    [
      'no factor for a group',
      'policy:\n  groups:\n    - { name: staff, policy: required, factors: [] }',
      'config.yaml:3: policy.groups.0.factors: names none: leave it out for all that there are; policy: forbidden is for those who may set up none',
    ],
    [
      'no factor for a user',
      'policy: { users: { "@bob:example.org": { factors: [] } } }',
      'config.yaml:1: policy.users.@bob:example.org.factors: names none: leave it out for all that there are; policy: forbidden is for those who may set up none',
    ],
    [
      'a group twice',
      'policy:\n  groups:\n    - { name: staff }\n    - { name: staff }',
      'config.yaml:4: policy.groups.1.name: there is another group "staff"',
    ],
    [
      'a date that is none',
      'policy: { grace: 2027-02-30 }',
      'config.yaml:1: policy.grace: must be a duration such as 30d, or a date such as 2027-03-31',
    ],
    [
      'a grace',
      'policy:\n  groups:\n    - { name: staff, grace: soon }',
      'config.yaml:3: policy.groups.0.grace: must be a duration such as 30s, 5m, 2h, 7d or seconds',
    ],
    [
      'a key of a rule',
      'policy: { users: { "@bob:example.org": { mode: required } } }',
      'config.yaml:1: policy.users.@bob:example.org.mode: there is no such setting; did you mean "grace"?',
    ],
    [
      'a file that is not there',
      'policy: { groups: [{ name: bots, members_file: bots.txt }] }',
      'config.yaml:1: policy.groups.0.members_file: bots.txt cannot be read (ENOENT)',
    ],
  ])('%s', (_what, text, line) => {
    expect(refusal(text)).toBe(line);
  });

  test('a line of a file', () => {
    folder.write('bots.txt', '@bot:example.org\nbot2\n');
    expect(refusal('policy: { groups: [{ name: bots, members_file: bots.txt }] }')).toBe(
      'config.yaml:1: policy.groups.0.members_file: bots.txt:2: "bot2" is not a user id',
    );
  });
});

test('a file of members that changed is a change of the groups', () => {
  folder.write('bots.txt', '@bot1:example.org');
  const text = 'policy: { groups: [{ name: bots, members_file: bots.txt }] }';
  const load = () => loadWithSettings(folder.write('config.yaml', text), {});
  const before = load();
  folder.write('bots.txt', '@bot2:example.org');
  expect(changesOf(before, before, load()).changed).toEqual(['policy.groups']);
});
