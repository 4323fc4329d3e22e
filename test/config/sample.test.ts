import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { SETTINGS } from '../../src/config/settings.ts';
import { isJsonObject, type Json } from '../../src/matrix/wire.ts';
import { type ConfigFolder, configFolder } from './config_files.ts';

const sample = readFileSync('config.sample.yaml', 'utf8');

let folder: ConfigFolder;
beforeEach(() => {
  folder = configFolder();
});
afterEach(() => folder.remove());

/** The names of all values in a configuration, e.g. `limits.per_address.burst_count`. */
function namesIn(settings: Json, name = ''): string[] {
  if (!isJsonObject(settings) || SETTINGS.some(({ path }) => path === name)) return [name];
  return Object.entries(settings).flatMap(([key, value]) =>
    namesIn(value ?? null, name === '' ? key : `${name}.${key}`),
  );
}

test('the sample holds the defaults and nothing else', () => {
  const written = loadConfig(folder.write('sample.yaml', sample), {});
  const bare = loadConfig(folder.write('bare.yaml', 'public_base_url: https://matrix.example.org'), {});
  // That a setting of passkeys is written asks for them.
  expect(written).toEqual({ ...bare, webauthnWanted: true });
});

test('the sample shows every setting', () => {
  const shown = namesIn(parse(sample.replaceAll(/^( +)# (?=\w+: )/gm, '$1')));
  expect(shown.sort()).toEqual(SETTINGS.map(({ path }) => path).sort());
});
