import type { LoadedConfig } from './load.ts';
import { SETTINGS, type SettingRow } from './settings.ts';

/** What differs between two readings of a configuration: paths of settings, in the order of the table. */
export interface Changes {
  /** Taken while `serve` runs. */
  readonly changed: readonly string[];
  readonly needsRestart: readonly string[];
}

/** What was read again may have changed in a file that a setting names, too. */
const FROM_FILES: Readonly<Record<string, (loaded: LoadedConfig) => unknown>> = {
  'brand.texts': ({ config }) => config.brand.texts,
  application_services: ({ config }) => config.applicationServices,
  'homeserver.appservice.file': ({ config }) => config.homeserver.appservice?.asToken,
  'notify.mail.password_file': ({ config }) => config.notify.mail?.credentials?.password,
  'notify.matrix.access_token_file': ({ config }) => config.notify.matrix?.accessToken,
  'notify.webhook.secret_file': ({ config }) => config.notify.webhook?.secret.toString('hex'),
  'notify.sms.secret_file': ({ config }) => config.notify.sms?.secret,
  'policy.groups': ({ config }) => config.policy.groups,
};

/**
 * @param start what all settings were at the start
 * @param before what those that can be read again were until now
 */
export function changesOf(start: LoadedConfig, before: LoadedConfig, next: LoadedConfig): Changes {
  const rows: readonly SettingRow[] = SETTINGS;
  const differs = (row: SettingRow) => !same(valueAt(row.reload ? before : start, row), valueAt(next, row));
  const paths = (reload: boolean) =>
    rows.filter((row) => (row.reload === true) === reload && differs(row)).map(({ path }) => path);
  return { changed: paths(true), needsRestart: paths(false) };
}

function valueAt(loaded: LoadedConfig, { path }: SettingRow): unknown {
  const written = path
    .split('.')
    .reduce(
      (section: unknown, name) => (section as Record<string, unknown> | undefined)?.[name],
      loaded.settings,
    );
  return [written, FROM_FILES[path]?.(loaded)];
}

function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left) === JSON.stringify(right);
}
