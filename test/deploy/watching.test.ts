import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { METRICS } from '../../src/server/metrics.ts';
import { hasProgram } from '../support/debian_program.ts';

const PROMETHEUS = 'deploy/prometheus';
const GRAFANA = 'deploy/grafana';
const hasPromtool = hasProgram('promtool', ['--version'], 'prometheus');

const labels = new Map<string, readonly string[]>(
  Object.entries(METRICS).map(([name, { labelNames }]) => [name, labelNames]),
);

/** Every metric of ours in a text, with the labels that stand in braces behind it. */
function namedIn(text: string): { name: string; used: string[] }[] {
  return [...text.matchAll(/\bm2fa_(\w+)(?:\\?\{([^}]*)\\?\})?/g)].map(([, name = '', braces = '']) => ({
    name: name.replace(/_(bucket|sum|count)$/, ''),
    used: [...braces.matchAll(/(\w+)\s*(?:=~|!~|!=|=)/g)].map(([, label = '']) => label),
  }));
}

const files = [PROMETHEUS, GRAFANA].flatMap((folder) =>
  readdirSync(folder).map((name) => join(folder, name)),
);

test.each(files)('%s names metrics and labels that there are', (file) => {
  const named = namedIn(readFileSync(file, 'utf8'));
  expect(named.length).toBeGreaterThan(5);
  const added = ['instance', 'job', 'le'];
  const unknown = named.filter(({ name, used }) => {
    const own = labels.get(name);
    return own === undefined || used.some((label) => ![...own, ...added].includes(label));
  });
  expect(unknown).toEqual([]);
});

test('what a board or a rule groups by is a label of a metric in it', () => {
  const { panels }: { panels: { targets: { expr: string }[] }[] } = JSON.parse(
    readFileSync(join(GRAFANA, 'matrix-2fa-proxy.json'), 'utf8'),
  );
  const wrong = panels
    .flatMap(({ targets }) => targets)
    .filter(({ expr }) => {
      const own = namedIn(expr).flatMap(({ name }) => labels.get(name) ?? []);
      const grouped = [...expr.matchAll(/by \(([^)]+)\)/g)].flatMap(([, list = '']) => list.split(', '));
      return grouped.some((label) => ![...own, 'le'].includes(label));
    });
  expect(wrong).toEqual([]);
});

test('docs/watch.md has every alert', () => {
  const rules = readFileSync(join(PROMETHEUS, 'alerts.yml'), 'utf8');
  const alerts = [...rules.matchAll(/- alert: (\w+)/g)].map(([, name = '']) => name);
  const told = [...readFileSync('docs/watch.md', 'utf8').matchAll(/^\| `(M2fa\w+)` \|/gm)].map(
    ([, name = '']) => name,
  );
  expect(alerts.length).toBeGreaterThan(5);
  expect(told).toEqual(alerts);
});

(hasPromtool ? describe : describe.skip)('promtool', () => {
  test.each([
    ['check', 'alerts.yml'],
    ['test', 'alerts.test.yml'],
  ])('%s rules %s', (how, file) => {
    const { status, stdout, stderr } = spawnSync('promtool', [how, 'rules', file], {
      cwd: PROMETHEUS,
      encoding: 'utf8',
    });
    expect({ status, text: stdout + stderr }).toEqual({
      status: 0,
      text: expect.stringContaining('SUCCESS'),
    });
  });
});
