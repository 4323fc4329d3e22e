import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { ConfigError } from '../../src/config/config.ts';
import { loadConfig } from '../../src/config/load.ts';
import { type ConfigFolder, configFolder } from './config_files.ts';

let folder: ConfigFolder;
beforeEach(() => {
  folder = configFolder();
});
afterEach(() => folder.remove());

const load = (text: string) => loadConfig(folder.write('config.yaml', text), {});

const PUBLIC = 'public_base_url: https://matrix.example.org';
const HERE = 'homeserver.url: is where this proxy listens (listen), not the homeserver';

test.each([
  ['its own address', 'listen: 127.0.0.1:8008', HERE],
  [
    'its own address by name, as it listens on all',
    `${PUBLIC}\nlisten: 0.0.0.0:8010\nhomeserver: { url: "http://localhost:8010" }`,
    HERE,
  ],
  ['its own address of IPv6', 'listen: "[::1]:80"\nhomeserver: { url: "http://[::1]" }', HERE],
  [
    'metrics where clients are',
    'metrics: { listen: 127.0.0.1:8010 }',
    'metrics.listen: is the address of listen: give it a port of its own',
  ],
  [
    'administration where metrics are',
    'metrics: { listen: 127.0.0.1:9110 }\nadmin: { listen: 127.0.0.1:9110 }',
    'admin.listen: is the address of metrics.listen: give it a port of its own',
  ],
])('what would wait for itself is refused: %s', (_what, text, complaint) => {
  expect(() => load(text)).toThrow(ConfigError);
  expect(() => load(text)).toThrow(complaint);
});

test('the same port of another address is another place, and port 0 each time another one', () => {
  expect(load('listen: 127.0.0.2:8008').homeserver.url).toBe('http://127.0.0.1:8008');
  const { metrics, admin } = load(
    'listen: 127.0.0.1:0\nmetrics: { listen: 127.0.0.1:0 }\nadmin: { listen: 127.0.0.1:8010 }',
  );
  expect([metrics.listen?.port, admin.listen?.port]).toEqual([0, 8010]);
});

test('a range of IPv4 that is written as IPv6, in which no address is ever found, is refused', () => {
  expect(() => load('trusted_proxies: ["::ffff:10.0.0.0/104"]')).toThrow(
    'trusted_proxies.0: must be written as IPv4, as in 10.0.0.0/8',
  );
});

test('names that stand for too much are a fault of the file', () => {
  const lists = [...'abcdef'].map((name, at) => {
    const inner = at === 0 ? '1' : `*${'abcdef'[at - 1]}`;
    return `${name}: &${name} [${Array(9).fill(inner).join(', ')}]`;
  });
  expect(() => load(lists.join('\n'))).toThrow(ConfigError);
});
