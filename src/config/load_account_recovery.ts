import { WEEKDAYS, type Weekday } from '../calendar/calendar.ts';
import { type HolidaySource, holidaysFrom, UnusableHolidays } from '../calendar/calendar_data.ts';
import { isTimeZone } from '../calendar/local_days.ts';
import { parseUserId } from '../matrix/user_id.ts';
import type { AccountRecoveryConfig, RecoveryCalendarConfig } from './config.ts';
import { type PathOfType, type Settings, settingAt } from './settings.ts';
import type { SettingPath } from './source.ts';
import { BadValue, parseDuration, textOf } from './values.ts';

type RecoverySettings = Settings['account_recovery'];

/** How this part of a configuration is read. */
interface AccountRecoveryReader {
  /** Runs `read`; a value that it refuses is refused by the name of the setting. */
  at<T>(path: SettingPath, read: () => T): T;
  absolute(path: string): string;
  /** Whether there is a registration as an application service. */
  readonly hasAppservice: boolean;
}

/** The section `account_recovery` in values. @throws ConfigError */
export function accountRecoveryFrom(
  settings: RecoverySettings,
  reader: AccountRecoveryReader,
): AccountRecoveryConfig {
  const { at } = reader;
  const duration = (path: PathOfType<'duration'>, written: string | number) =>
    at(path.split('.'), () => parseDuration(written, settingAt(path)));
  const { vouch, votes } = settings;
  requireRegistration(settings, reader);
  return {
    enabled: settings.enabled,
    waitMs: duration('account_recovery.wait', settings.wait),
    claimWindowMs: duration('account_recovery.claim_window', settings.claim_window),
    administrators: settings.administrators,
    noticeEveryMs: duration('account_recovery.notice_every', settings.notice_every),
    onSessionUse: settings.on_session_use,
    operators: settings.operators.map((written, index) =>
      at(['account_recovery', 'operators', index], () => requireRecipient(written)),
    ),
    roomAdmins: settings.room_admins,
    publicNotice: settings.public_notice,
    calendar: calendarFrom(settings.calendar, reader),
    vouch: { enabled: vouch.enabled, waitMs: duration('account_recovery.vouch.wait', vouch.wait) },
    votes: {
      enabled: votes.enabled,
      quorum: votes.quorum,
      waitMs: duration('account_recovery.votes.wait', votes.wait),
      nominationAgeMs: duration('account_recovery.votes.nomination_age', votes.nomination_age),
    },
  };
}

function calendarFrom(
  calendar: RecoverySettings['calendar'],
  { at, absolute }: AccountRecoveryReader,
): RecoveryCalendarConfig {
  const path = ['account_recovery', 'calendar'];
  return {
    timeZone: at([...path, 'time_zone'], () => requireTimeZone(calendar.time_zone)),
    workWeek: at([...path, 'work_week'], () => requireWeek(calendar.work_week)),
    holidays: at([...path, 'holidays'], () => requireHolidays(calendar.holidays, absolute)),
    absences: calendar.absences,
  };
}

/** What it takes from the homeserver in the name of users, it can only have with a registration. */
function requireRegistration(settings: RecoverySettings, { at, hasAppservice }: AccountRecoveryReader): void {
  if (hasAppservice) return;
  const wanted = {
    on_session_use: settings.on_session_use === 'cancel',
    room_admins: settings.room_admins,
    public_notice: settings.public_notice,
  };
  for (const [name, isWanted] of Object.entries(wanted)) {
    at(['account_recovery', name], () => {
      if (isWanted) throw new BadValue('needs homeserver.appservice.file');
    });
  }
}

function requireTimeZone(written: string): string {
  // The default: looking time zones up takes 30 ms at first.
  if (written === 'UTC') return written;
  if (!isTimeZone(written)) throw new BadValue(`"${written}" is not a time zone such as Europe/Berlin`);
  return new Intl.DateTimeFormat('en', { timeZone: written }).resolvedOptions().timeZone;
}

function requireWeek(written: readonly string[]): Weekday[] {
  const unknown = written.find((day) => !(WEEKDAYS as readonly string[]).includes(day));
  if (unknown !== undefined) throw new BadValue(`"${unknown}" is not one of ${WEEKDAYS.join(', ')}`);
  const week = WEEKDAYS.filter((day) => written.includes(day));
  if (week.length === 0) throw new BadValue('must name a day: on none the clock would never run');
  return week;
}

/** Tried at the start: a request must not find out that there are none. */
function requireHolidays(
  written: RecoverySettings['calendar']['holidays'],
  absolute: (path: string) => string,
): HolidaySource | undefined {
  if (written === undefined || written === null) return undefined;
  const source = typeof written === 'string' ? { region: written } : { text: textOf(absolute(written.file)) };
  try {
    holidaysFrom(source);
    return source;
  } catch (error) {
    if (error instanceof UnusableHolidays) throw new BadValue(error.message);
    throw error;
  }
}

function requireRecipient(written: string): string {
  const isUser = parseUserId(written) !== undefined;
  // As in RFC 5321 a local part and a domain; what it is good for, only a mail can show.
  if (!isUser && !/^[^\s@"<>]{1,64}@[A-Za-z0-9.-]{1,255}$/.test(written)) {
    throw new BadValue(`"${written}" is neither a user id such as @bob:example.org nor a mail address`);
  }
  return written;
}
