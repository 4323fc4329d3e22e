import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { stringify } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { SECTIONS, SETTINGS, type SettingRow } from '../../src/config/settings.ts';
import { type ConfigFolder, configFolder } from './config_files.ts';

const rows: readonly SettingRow[] = SETTINGS;

let folder: ConfigFolder;
beforeEach(() => {
  folder = configFolder();
});
afterEach(() => folder.remove());

/** Loads a configuration of one setting; what belongs to it is given with its defaults. */
function loadWith(path: string, value: unknown): void {
  const whole = SECTIONS.find((section) => section.whole === true && path.startsWith(`${section.path}.`));
  const others = rows.filter((row) => whole !== undefined && row.path.startsWith(`${whole.path}.`));
  const settings = {};
  // A channel is off without it, and then takes no setting.
  if (path.startsWith('notify.mail.')) put(settings, ['notify', 'mail', 'from'], '2fa@example.org');
  for (const row of others) put(settings, row.path.split('.'), row.default);
  put(settings, path.split('.'), value);
  loadConfig(folder.write('config.yaml', stringify(settings)), {});
}

function put(
  settings: Record<string, unknown>,
  [name = '', ...rest]: readonly string[],
  value: unknown,
): void {
  if (rest.length === 0) {
    settings[name] = value;
    return;
  }
  const section = (settings[name] ?? {}) as Record<string, unknown>;
  settings[name] = section;
  put(section, rest, value);
}

test('every section has a row, and none is empty', () => {
  const inUse = rows.flatMap(({ path }) => {
    const parts = path.split('.');
    return parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('.'));
  });
  expect(SECTIONS.map(({ path }) => path).sort()).toEqual([...new Set(inUse)].sort());
});

test('every setting without a default has an example for the sample', () => {
  expect(rows.filter((row) => (row.default === undefined) === (row.example === undefined))).toEqual([]);
});

describe.each(rows.filter((row) => row.default !== undefined))('the setting $path', (row) => {
  test('takes its default', () => {
    expect(() => loadWith(row.path, row.default)).not.toThrow();
  });

  test('refuses a value of another type, by its name', () => {
    expect(() => loadWith(row.path, { other: 1 })).toThrow(`: ${row.path}: `);
  });
});

describe.each(rows.filter((row) => row.max !== undefined))(
  'the range of $path',
  ({ path, type, min, max }) => {
    const next = (value: unknown, step: number) =>
      type === 'duration' ? `${secondsIn(String(value)) + step}s` : Number(value) + step;

    test('is taken up to both ends', () => {
      expect(() => loadWith(path, min)).not.toThrow();
      expect(() => loadWith(path, max)).not.toThrow();
    });

    test('is not left', () => {
      expect(() => loadWith(path, next(min, -1))).toThrow(`: ${path}: must be `);
      expect(() => loadWith(path, next(max, 1))).toThrow(`: ${path}: must be `);
    });
  },
);

function secondsIn(written: string): number {
  const unit = { s: 1, m: 60, h: 3600, d: 86_400 }[written.slice(-1)] ?? Number.NaN;
  return Number(written.slice(0, -1)) * unit;
}
