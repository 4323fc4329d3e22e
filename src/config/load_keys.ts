import { isJsonObject } from '../matrix/wire.ts';
import type { KeysConfig } from './config.ts';
import { type Settings, settingAt } from './settings.ts';
import type { ConfigSource, Environment, SettingPath } from './source.ts';
import { BadValue, parseDuration } from './values.ts';

const PLACES = ['file', 'credential', 'command'] as const;
type Place = (typeof PLACES)[number];

interface KeysReader {
  readonly source: ConfigSource;
  readonly environment: Environment;
  /** Runs `read`; a value that it refuses becomes a `ConfigError` that names the setting. */
  at<T>(path: SettingPath, read: () => T): T;
  absolute(path: string): string;
}

/**
 * Where the keys come from: one place, which can hold the marks, or another one is named for them.
 * @throws ConfigError
 */
export function keysFrom(settings: Settings['keys'], reader: KeysReader): KeysConfig {
  const { at, absolute } = reader;
  const place = placeIn(reader);
  const timeoutMs = at(['keys', 'timeout'], () => parseDuration(settings.timeout, settingAt('keys.timeout')));
  const source = at(['keys', place], () => readers[place](settings, reader, timeoutMs));
  const marks = at(['keys', place], () => {
    if (settings.marks !== undefined || place === 'file') return settings.marks;
    throw new BadValue('needs keys.marks beside it: a file that can be written (docs/operate.md)');
  });
  return { source, marks: marks === undefined ? undefined : absolute(marks) };
}

/** The default of `keys.file` stands in the settings in any case: what counts is what was written. */
function placeIn({ source, at }: KeysReader): Place {
  const { keys } = source.settings;
  const [first = 'file', second] = PLACES.filter((name) => isJsonObject(keys) && name in keys);
  if (second === undefined) return first;
  return at(['keys', second], () => {
    throw new BadValue(`cannot be set beside keys.${first}: the keys come from one place`);
  });
}

const readers: Readonly<
  Record<Place, (settings: Settings['keys'], reader: KeysReader, timeoutMs: number) => KeysConfig['source']>
> = {
  file: ({ file }, { absolute }) => ({ file: absolute(file) }),
  credential: ({ credential = '' }, { environment }) => {
    if (!/^[^/]+$/.test(credential) || credential.startsWith('.')) {
      throw new BadValue('must be the name of a credential, without a folder');
    }
    return { credential, folder: environment.CREDENTIALS_DIRECTORY || undefined };
  },
  command: ({ command = [] }, _reader, timeoutMs) => {
    const [program = '', ...words] = command;
    if (program === '') throw new BadValue('must be a list: a program and its arguments');
    return { command: [program, ...words], timeoutMs };
  },
};
