import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';

interface Locked {
  readonly dev?: boolean;
  readonly optional?: boolean;
  readonly devOptional?: boolean;
  readonly peer?: boolean;
}

const page = readFileSync('docs/architecture.md', 'utf8');
const section = /^## Dependencies\n([\s\S]*?)^## /m.exec(page)?.[1] ?? '';
const { dependencies, optionalDependencies } = JSON.parse(readFileSync('package.json', 'utf8'));
const lock: { packages: Record<string, Locked> } = JSON.parse(readFileSync('package-lock.json', 'utf8'));

test('docs/architecture.md gives a reason for each dependency, and for no other', () => {
  const cells = [...section.matchAll(/^\| (`[^|]+) \|/gm)].map(([, cell = '']) => cell);
  const named = cells.flatMap((cell) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  expect(named.toSorted()).toEqual(Object.keys({ ...dependencies, ...optionalDependencies }).toSorted());
});

test('docs/architecture.md says how many packages come with them', () => {
  const installed = Object.entries(lock.packages).filter(
    ([path, { dev, optional, devOptional, peer }]) =>
      path !== '' && !(dev || optional || devOptional || peer),
  );
  expect(/they are (\d+) packages/.exec(section)?.[1]).toBe(String(installed.length));
});
