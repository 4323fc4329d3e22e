import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { CHECKS, ONLINE_IDS } from '../../src/doctor/list.ts';
import { NATIVE_PAGES } from '../../src/doctor/page_checks.ts';

const page = readFileSync('docs/doctor.md', 'utf8');
const rows = [...page.matchAll(/^\| `([a-z][a-z-]*)`(°?) \| \S/gm)].map(([, id = '', mark]) => ({
  id,
  outside: mark === '°',
}));

test('docs/doctor.md has every check once, in order, and says which can be made from elsewhere', () => {
  expect(rows).toEqual(CHECKS.map(({ id, outside }) => ({ id, outside })));
  expect(new Set(rows.map(({ id }) => id)).size).toBe(28);
});

test('docs/doctor.md names the checks of check-config --online', () => {
  const [, named = ''] =
    /makes those of the checks that need no running `serve`: ([^.]+), after/.exec(page) ?? [];
  expect([...named.matchAll(/`([a-z-]+)`/g)].map(([, id]) => id)).toEqual(ONLINE_IDS);
  const ids = CHECKS.map(({ id }) => id);
  expect(ONLINE_IDS.filter((id) => !ids.includes(id))).toEqual([]);
});

test('doctor asks for every path of which docs/install.md says that it must be 404', () => {
  const install = readFileSync('docs/install.md', 'utf8');
  const lines = install.matchAll(/^code (?:-X [A-Z]+ )?https:\/\/matrix\.example\.org(\/\S+)$/gm);
  const targets = [...lines].map(([, target = '']) => target);
  expect(targets.length).toBeGreaterThan(10);
  const asked: readonly string[] = NATIVE_PAGES;
  expect(targets.filter((target) => !asked.includes(target))).toEqual([]);
});
