import type { OwnRegistration } from './config.ts';
import type { ConfigSource, SettingPath } from './source.ts';
import { BadValue, isLoopback, textOf } from './values.ts';

/** How the section of a channel is read. */
export interface NotifyReader {
  readonly source: ConfigSource;
  /** Runs `read`; a value that it refuses becomes a `ConfigError` that names the setting. */
  at<T>(path: SettingPath, read: () => T): T;
  absolute(path: string): string;
  /** Our registration at the homeserver. */
  readonly registration: OwnRegistration | undefined;
}

/** Where a channel posts to. @throws BadValue */
export function hookUrl(written: string): URL {
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new BadValue('must be a URL that begins with https://');
  }
  if (url.username !== '' || url.password !== '') throw new BadValue('must not hold a user name or password');
  if (url.protocol === 'http:' && !isLoopback(url.hostname)) {
    throw new BadValue('must begin with https:// (http:// is for loopback addresses only)');
  }
  return url;
}

/** The path of a file that must be given. @throws BadValue */
export function required(file: string | undefined, absolute: (path: string) => string): string {
  if (file === undefined) throw new BadValue('must be given');
  return absolute(file);
}

/** The one line of a file; the text of a refusal holds nothing of it. @throws BadValue */
export function lineIn(file: string): string {
  const text = textOf(file).trim();
  if (text === '' || /[\p{Cc}]/u.test(text)) throw new BadValue(`${file} must hold one line`);
  return text;
}
