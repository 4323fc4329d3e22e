import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { type ConfigFolder, configFolder } from './config_files.ts';
import { knownSettings, namesIn } from './leaf_settings.ts';

const sample = readFileSync('config.sample.yaml', 'utf8');

let folder: ConfigFolder;
beforeEach(() => {
  folder = configFolder();
});
afterEach(() => folder.remove());

test('the sample holds the defaults and nothing else', () => {
  const written = loadConfig(folder.write('sample.yaml', sample), {});
  const bare = loadConfig(folder.write('bare.yaml', 'public_base_url: https://matrix.example.org'), {});
  expect(written).toEqual(bare);
});

test('the sample shows every setting', () => {
  const shown = namesIn(
    parse(
      sample.replaceAll(/# (?=(?:issuer|name|logo|help_url|marks|url|password_file|tls|ca_file|pool):)/g, ''),
    ),
  );
  const known = knownSettings(JSON.parse(readFileSync('schemas/config.json', 'utf8')));
  expect(shown.sort()).toEqual(known.map(({ name }) => name).sort());
});
