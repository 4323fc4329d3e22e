import { Option } from 'commander';
import type { Config } from '../config/config.ts';
import { configFile, type LoadedConfig, loadWithSettings } from '../config/load.ts';
import { BadValue, type DurationRange, parseDuration } from '../config/values.ts';
import { parseUserId } from '../matrix/user_id.ts';
import { pageTexts } from '../pages/texts/own_texts.ts';
import { UsageError } from './failures.ts';
import type { Surroundings } from './surroundings.ts';

/** `--config FILE`, the same on every command that needs a configuration. */
export function configOption(): Option {
  return new Option(
    '-c, --config <file>',
    'the configuration (default: $MATRIX_2FA_CONFIG, else ./config.yaml)',
  );
}

export function jsonOption(): Option {
  return new Option('--json', 'print JSON, for programs');
}

/** @throws ConfigError */
export function configFrom(asked: string | undefined, surroundings: Surroundings): Config {
  return loadedFrom(asked, surroundings).config;
}

/** The configuration with its settings as they were written. @throws ConfigError */
export function loadedFrom(asked: string | undefined, { environment }: Surroundings): LoadedConfig {
  const loaded = loadWithSettings(configFile(asked, environment), environment);
  pageTexts(loaded.config.brand);
  return loaded;
}

/** @throws UsageError if `text` is not a full user id: a shortened one could mean another user. */
export function requireUserId(text: string): string {
  if (parseUserId(text) === undefined) {
    throw new UsageError(`"${text}" is not a user id; write it in full, as in @bob:example.org`);
  }
  return text;
}

/** @throws UsageError if `text` is not a number from 1 on */
export function requireCount(option: string, text: string): number {
  if (!/^[1-9][0-9]{0,8}$/.test(text)) throw new UsageError(`${option} must be a number from 1 on`);
  return Number(text);
}

/**
 * A time span, of at most a day unless `range` says otherwise, in ms.
 * @throws UsageError if `text` is not one
 */
export function requireDuration(option: string, text: string, range: DurationRange = { max: '24h' }): number {
  try {
    return parseDuration(text, range);
  } catch (error) {
    if (error instanceof BadValue) throw new UsageError(`${option} ${error.message}`);
    throw error;
  }
}
