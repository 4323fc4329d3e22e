import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

interface FollowedWay {
  readonly name: string;
  readonly mostFiles: number;
  readonly extent: { readonly files: number };
  readonly files: readonly string[];
}

const print = execFileSync(process.execPath, ['--import', 'tsx', 'tools/ways/main.ts', '--json'], {
  encoding: 'utf8',
  timeout: 60_000,
});
const ways: readonly FollowedWay[] = JSON.parse(print);

test('no request runs more files than are allowed', () => {
  const tooLong = ways.filter(({ extent, mostFiles }) => extent.files > mostFiles);
  expect(tooLong.map(({ name, extent, files }) => ({ name, extent, files }))).toEqual([]);
  expect(ways).toHaveLength(8);
});

test('docs/architecture.md says how many are allowed', () => {
  const page = readFileSync('docs/architecture.md', 'utf8');
  const rows = [...page.matchAll(/^\| ([^|]+) \| \d+ \| (\d+) \|$/gm)].map(([, name, most]) => [
    name,
    Number(most),
  ]);
  expect(rows).toEqual(ways.map(({ name, mostFiles }) => [name, mostFiles]));
});

test('a request that passes through touches neither the store nor a door', () => {
  const [passThrough] = ways.filter(({ name }) => name === 'pass-through');
  const folders = new Set(passThrough?.files.map((file) => file.split('/')[0]));
  // What may be read again (trusted proxies) is asked of the live configuration.
  expect([...folders].sort()).toEqual(['config', 'gateway', 'http', 'matrix', 'server', 'system']);
});
