import { describe, expect, jest, test } from '@jest/globals';
import fc from 'fast-check';
import type { PolicyConfig, PolicyRule } from '../../src/config/config.ts';
import { applied, fits, Members, sourcesFor } from '../../src/policy/precedence.ts';

const NAMES = ['database', 'users', 'administrators', 'group:staff', 'default'] as const;

/** A rule that has its key of every kind, or none, so that its value tells whose it is. */
const ruleOf = (index: number, has: boolean): PolicyRule =>
  has ? { grace: { durationMs: index }, factors: [String(index)] } : {};

/** Which of the five sources have the key, as the bits of a number. */
function lookUp(bits: number) {
  const has = NAMES.map((_name, index) => (bits & (1 << index)) !== 0);
  const rule = (index: number) => ruleOf(index, has[index] ?? false);
  const config: PolicyConfig = {
    default: { mode: 'optional', ...rule(4) },
    users: { '@bob:example.org': rule(1) },
    administrators: { rule: rule(2), members: [], detect: true },
    groups: [
      { name: 'others', members: ['@alice:example.org'], rule: ruleOf(9, true) },
      { name: 'staff', members: ['@b*:example.org'], rule: rule(3) },
      { name: 'later', members: ['@bob:example.org'], rule: ruleOf(9, true) },
    ],
    registrationGraceMs: 0,
    blocksSessions: false,
    enrolsWithoutPassword: false,
  };
  const subject = { userId: '@bob:example.org', isAdministrator: true, stored: rule(0) };
  return { has, policy: applied(sourcesFor(config, subject)) };
}

test.each(Array.from({ length: 32 }, (_each, bits) => bits))(
  'the first source that has a key counts: %s',
  (bits) => {
    const { has, policy } = lookUp(bits);
    const first = has.indexOf(true);
    const wanted =
      first === -1
        ? { grace: undefined, factors: undefined, source: 'default' }
        : { grace: { durationMs: first }, factors: [String(first)], source: NAMES[first] };
    expect(policy.grace).toEqual({ value: wanted.grace, source: wanted.source });
    expect(policy.factors).toEqual({ value: wanted.factors, source: wanted.source });
    expect(policy.mode).toEqual({ value: 'optional', source: 'default' });
  },
);

test('a lower source never changes what a higher one says', () => {
  for (let bits = 0; bits < 32; bits += 1) {
    const first = lookUp(bits).has.indexOf(true);
    if (first === -1) continue;
    for (let lower = first + 1; lower < NAMES.length; lower += 1) {
      expect(lookUp(bits ^ (1 << lower)).policy.grace).toEqual(lookUp(bits).policy.grace);
    }
  }
});

test('who is not an administrator, or in no group, has no rule of theirs', () => {
  const config: PolicyConfig = {
    default: { mode: 'optional' },
    users: {},
    administrators: { rule: { mode: 'required' }, members: [], detect: true },
    groups: [{ name: 'staff', members: ['@staff-*:example.org'], rule: { mode: 'required' } }],
    registrationGraceMs: 0,
    blocksSessions: false,
    enrolsWithoutPassword: false,
  };
  const subject = { userId: '@bob:example.org', isAdministrator: false, stored: {} };
  expect(applied(sourcesFor(config, subject)).mode).toEqual({ value: 'optional', source: 'default' });
});

describe('a pattern', () => {
  test.each([
    ['@bob:example.org', '@bob:example.org', true],
    ['@bob:example.org', '@Bob:example.org', false],
    ['@staff-*:example.org', '@staff-:example.org', true],
    ['@staff-*:example.org', '@staff-bob:example.org', true],
    ['@staff-*:example.org', '@staff-bob:example.com', false],
    ['@staff-*:example.org', '@my-staff-bob:example.org', false],
    ['@*-bot:example.org', '@a-bot:example.org', true],
    ['@*-bot:example.org', '@a-bots:example.org', false],
    ['@a*a:example.org', '@a:example.org', false],
    ['@*:example.org', '@x:example.org:8448', false],
    ['@.*:example.org', '@bob:example.org', false],
  ])('%s and %s', (pattern, userId, isMatch) => {
    expect(Members.of([pattern]).has(userId)).toBe(isMatch);
  });

  test('a long list is cut once, however often it is asked', () => {
    const list = Array.from({ length: 50_000 }, (_, n) => `@user${n}${n % 2 === 0 ? '' : '-*'}:hs`);
    const walked = jest.spyOn(list, 'filter');
    for (const each of ['@user2:hs', '@user3-x:hs', '@user4-x:hs', '@user2:other']) {
      expect(Members.of(list).has(each)).toBe(['@user2:hs', '@user3-x:hs'].includes(each));
    }
    expect(Members.of(list).mayMean('user2')).toBe(true);
    expect(Members.of(list).mayMean('user3-anything')).toBe(true);
    expect(Members.of(list).mayMean('user4-anything')).toBe(false);
    expect(walked).toHaveBeenCalledTimes(2);
  });

  test('fits as an expression with any characters does', () => {
    const parts = fc.array(fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 3 }), {
      minLength: 1,
      maxLength: 5,
    });
    const text = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 10 });
    fc.assert(
      fc.property(parts, text, (pieces, candidate) => {
        expect(fits(pieces, candidate)).toBe(new RegExp(`^${pieces.join('.*')}$`).test(candidate));
      }),
    );
  });
});
