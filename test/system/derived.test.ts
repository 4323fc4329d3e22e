import { expect, test } from '@jest/globals';
import { derived } from '../../src/system/derived.ts';

test('it is made once for each value', () => {
  let value = ['a'];
  let made = 0;
  const joined = derived(
    () => value,
    (list) => {
      made += 1;
      return list.join();
    },
  );
  expect([joined(), joined(), made]).toEqual(['a', 'a', 1]);
  value = ['b', 'c'];
  expect([joined(), joined(), made]).toEqual(['b,c', 'b,c', 2]);
});

test('a value of which nothing can be made leaves what was made before, and is tried again', () => {
  let value = 1;
  const odd = derived(
    () => value,
    (number) => {
      if (number === 2) throw new RangeError('two');
      return number;
    },
  );
  value = 2;
  expect(odd).toThrow(RangeError);
  expect(odd).toThrow(RangeError);
  value = 3;
  expect(odd()).toBe(3);
});
