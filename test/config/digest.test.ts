import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { digestOfSettings } from '../../src/config/digest.ts';
import { loadConfig } from '../../src/config/load.ts';

let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'digest-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function digestWith(more: string): string {
  const file = join(folder, 'config.yaml');
  writeFileSync(file, `public_base_url: https://matrix.example.org\n${more}\n`);
  return digestOfSettings(loadConfig(file, {}));
}

test.each([
  'totp: { window: 2 }',
  'webauthn: { enabled: false }',
  'recovery: { count: 8 }',
  'login: { appended_code: false }',
  'uia: { session_ttl: 3m }',
  'device_passwords: { enabled: false }',
  'device_passwords: { max_per_user: 3 }',
  'policy: { default: required }',
  'sso: { clients: ["https://app.example.org"] }',
  'audit: { keep: 500d }',
])('processes that differ in %s differ in their digest', (more) => {
  expect(digestWith(more)).not.toBe(digestWith(''));
});

test.each([
  'listen: 127.0.0.1:9999',
  'homeserver: { url: "http://127.0.0.1:9998" }',
  'trusted_proxies: [10.0.0.0/8]',
  'brand: { name: Example }',
  'log: { format: pretty }',
  'metrics: { listen: "127.0.0.1:9997" }',
])('processes may differ in %s', (more) => {
  expect(digestWith(more)).toBe(digestWith(''));
});
