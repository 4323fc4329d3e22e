import fc from 'fast-check';

export const codeKinds = [
  'right',
  'next',
  'old',
  'wrong',
  'spent',
  'others',
  'recovery',
  'spent recovery',
] as const;
export const passwordKinds = ['right', 'wrong', 'others'] as const;

const often = <T>(usual: T, ...others: readonly T[]) =>
  fc.oneof(
    { weight: 2 * others.length, arbitrary: fc.constant(usual) },
    { weight: others.length, arbitrary: fc.constantFrom(...others) },
  );

/** One step of a sequence. Each kind reads the fields that it needs. */
export const command = fc.record({
  kind: fc.constantFrom(
    ...([
      'login',
      'login',
      'login',
      'ask',
      'ask',
      'one_shot',
      'one_shot',
      'code',
      'code',
      'code',
      'code',
    ] as const),
    ...([
      'password',
      'password',
      'password',
      'state',
      'replay',
      'replay',
      'jump',
      'jump',
      'log_out',
    ] as const),
    ...(['log_out_all', 'turn_off', 'turn_on'] as const),
  ),
  who: fc.nat({ max: 1 }),
  token: fc.nat({ max: 1 }),
  call: fc.nat({ max: 5 }),
  /** Which of the sessions seen last, from the newest one on. */
  talk: fc.nat({ max: 3 }),
  code: often<(typeof codeKinds)[number]>('right', ...codeKinds),
  password: often<(typeof passwordKinds)[number]>('right', 'wrong', 'others'),
  /** Whether the code stands behind the password. */
  appended: fc.boolean(),
  /** Whether another user takes the step. */
  stranger: often(false, true, false, false),
  otherToken: often(false, true, false, false),
  otherTarget: often(false, true, false, false),
  body: often<'same' | 'none' | 'other'>('none', 'same', 'other'),
  /** Whether the request is sent twice at the same moment. */
  twice: often(false, true, false, false),
  jumpMs: fc.constantFrom(30_000, 30_000, 60_000, 301_000, 601_000, 3_700_000, -30_000, -301_000),
});

export type Command = typeof command extends fc.Arbitrary<infer Of> ? Of : never;
