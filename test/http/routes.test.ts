import { existsSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { TotpFactor } from '../../src/factors/totp/totp_factor.ts';
import { findRoute } from '../../src/http/route_index.ts';
import { guardedEndpoints, mountedPaths, ROUTES } from '../../src/http/routes.ts';
import { consequenceText } from '../../src/pages/fallback/consequence_text.ts';
import { pageTexts } from '../../src/pages/texts/own_texts.ts';
import type { Session } from '../../src/uia/session.ts';
import { totpSettings } from '../support/enrolment.ts';

const say = pageTexts({ texts: [], german: 'du', language: 'en' }).in('en');
const totp = new TotpFactor({} as ConstructorParameters<typeof TotpFactor>[0], totpSettings);

/** What the page says of a session that was opened for `target`. */
function saidOf(target: string, body = {}): string {
  return consequenceText(say, { binding: { target }, body } as unknown as Session, {
    factors: [totp],
    language: 'en',
  });
}

test('no two rows have a path and a method in common', () => {
  const taken = ROUTES.flatMap((row) => mountedPaths(row).map(({ path }) => `${row.method} ${path}`));
  expect(taken).toEqual([...new Set(taken)]);
});

describe.each(ROUTES)('the row $id', (row) => {
  const targets = mountedPaths(row).map(
    ({ path }) => `${row.method} ${path.replaceAll('{kind}', 'totp').replaceAll(/\{\w+\}/g, 'ABC')}`,
  );

  test('is found by its targets, with a query too', () => {
    for (const target of targets) {
      expect(findRoute(target)?.id).toBe(row.id);
      expect(findRoute(`${target}?x=1`)?.id).toBe(row.id);
    }
  });

  test('takes a body or not', () => {
    expect(row.bodyLimit > 0).toBe(row.method !== 'GET');
  });

  test('is named to the owner whose proof is asked for, if it has a deed', () => {
    for (const target of targets) {
      expect(saidOf(target) === say('approve.other')).toBe(row.deed === undefined);
    }
  });
});

test.each(guardedEndpoints())('the guarded endpoint $route has a schema', ({ shape }) => {
  expect(existsSync(`schemas/${shape}.json`)).toBe(true);
});

test('the page counts the devices that a request removes', () => {
  const target = 'POST /_matrix/client/v3/delete_devices';
  expect(saidOf(target, { devices: ['A', 'B', 'A'] })).toContain('2');
});

test('a session of another kind is named in general words', () => {
  expect(saidOf('login v3')).toBe(say('approve.other'));
});
