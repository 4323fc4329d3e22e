import { chmodSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { AccountRecoveryConfig } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { remarksOn } from '../../src/config/remarks.ts';
import { type ConfigFolder, configFolder } from './config_files.ts';

const HOUR = 3_600_000;
const OWN = 'homeserver: { appservice: { file: own.yaml } }\n';

let folder: ConfigFolder;
beforeEach(() => {
  folder = configFolder();
});
afterEach(() => folder.remove());

function load(section: string, before = ''): AccountRecoveryConfig {
  return loadConfig(folder.write('config.yaml', `${before}account_recovery: ${section}`), {}).accountRecovery;
}

test('everything that can be set is read', () => {
  chmodSync(folder.write('own.yaml', 'as_token: abc\n'), 0o600);
  const recovery = load(
    `
  { enabled: true, wait: 90d, claim_window: 2d, administrators: true, notice_every: 3d, on_session_use: cancel,
    operators: ["@root:example.org", "root@example.org"], room_admins: true,
    calendar: { time_zone: europe/berlin, work_week: [fri, mon], holidays: null, absences: false },
    vouch: { enabled: false, wait: 30d }, votes: { enabled: true, quorum: 3, wait: 60d, nomination_age: 14d } }`,
    OWN,
  );
  expect(recovery).toEqual({
    enabled: true,
    waitMs: 90 * 24 * HOUR,
    claimWindowMs: 48 * HOUR,
    administrators: true,
    noticeEveryMs: 72 * HOUR,
    onSessionUse: 'cancel',
    operators: ['@root:example.org', 'root@example.org'],
    roomAdmins: true,
    publicNotice: false,
    calendar: {
      timeZone: 'Europe/Berlin',
      workWeek: ['mon', 'fri'],
      holidays: undefined,
      absences: false,
    },
    vouch: { enabled: false, waitMs: 30 * 24 * HOUR },
    votes: { enabled: true, quorum: 3, waitMs: 60 * 24 * HOUR, nominationAgeMs: 14 * 24 * HOUR },
  });
});

describe('what cannot be meant is refused by its name', () => {
  test.each([
    ['{ wait: 47h }', 'wait: must be between 172800 and 7776000 seconds'],
    ['{ wait: 91d }', 'wait: must be between 172800 and 7776000 seconds'],
    ['{ on_session_use: cancel }', 'on_session_use: needs homeserver.appservice.file'],
    ['{ room_admins: true }', 'room_admins: needs homeserver.appservice.file'],
    ['{ public_notice: true }', 'public_notice: needs homeserver.appservice.file'],
    ['{ operators: [root] }', '"root" is neither a user id such as @bob:example.org nor a mail address'],
    ['{ calendar: { time_zone: Europe/Bonn } }', '"Europe/Bonn" is not a time zone such as Europe/Berlin'],
    ['{ calendar: { time_zone: "+02:00" } }', '"+02:00" is not a time zone such as Europe/Berlin'],
    [
      '{ calendar: { work_week: [mon, dimanche] } }',
      '"dimanche" is not one of mon, tue, wed, thu, fri, sat, sun',
    ],
    ['{ calendar: { work_week: [] } }', 'work_week: must name a day: on none the clock would never run'],
    ['{ calendar: { holidays: [mon] } }', 'calendar.holidays: must be string,object,null'],
    ['{ calendar: { holidays: { file: x.ics } } }', 'x.ics'],
    ['{ calendar: { holidays: { file: config.yaml } } }', 'calendar.holidays: is not an iCalendar file'],
    ['{ calendar: { holidays: DE-XX } }', 'calendar.holidays: knows no region "DE-XX"'],
  ])('%s', (section, told) => {
    expect(() => load(section)).toThrow(told);
  });
});

test('holidays come from a region or a file beside the configuration', () => {
  const ics = 'BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART;VALUE=DATE:20261224\nEND:VEVENT\nEND:VCALENDAR\n';
  folder.write('days.ics', ics);
  expect(load('{ calendar: { holidays: { file: days.ics } } }').calendar.holidays).toEqual({ text: ics });
  expect(load('{ calendar: { holidays: DE-BE } }').calendar.holidays).toEqual({ region: 'DE-BE' });
});

test('that no owner would be told is said', () => {
  const said = (section: string, notify = '') =>
    remarksOn(loadConfig(folder.write('config.yaml', `account_recovery: ${section}\n${notify}`), {})).join();
  expect(said('{ enabled: true }')).toContain('no owner is told');
  expect(said('{ enabled: false }')).not.toContain('no owner is told');
  expect(said('{ enabled: true }', 'notify: { mail: { from: 2fa@example.org } }')).not.toContain('no owner');
});

test('that Dendrite names no administrators is said where they are kept out', () => {
  const said = (section: string, before = '') =>
    remarksOn(loadConfig(folder.write('config.yaml', `${before}account_recovery: ${section}`), {})).join();
  expect(said('{ enabled: true }')).toContain('Dendrite does not say: name them in members');
  for (const section of ['{}', '{ enabled: true, administrators: true }'])
    expect(said(section)).not.toContain('Dendrite');
  const detect = 'policy: { administrators: { detect: false } }\n';
  expect(said('{ enabled: true }', detect)).not.toContain('Dendrite');
});
