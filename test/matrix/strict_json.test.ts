import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { Refusal } from '../../src/matrix/refusals.ts';
import { parseStrictJson, parseUnrepeatedJson } from '../../src/matrix/strict_json.ts';

function parse(text: string | Uint8Array) {
  return parseStrictJson(typeof text === 'string' ? Buffer.from(text) : text);
}

/** The name of the refusal that reading ends in, or `read`. */
function outcome(text: string | Uint8Array): string {
  try {
    parse(text);
    return 'read';
  } catch (error) {
    return error instanceof Refusal ? error.refusal : String(error);
  }
}

test('an object is read as it is', () => {
  const text = '{"a":[1,-2,true,null,"é\\u0000😀"],"b":{"c":9007199254740991},"a b":""}';
  expect(JSON.stringify(parse(text))).toBe(text);
});

test('what is read and written again is read the same', () => {
  const value = fc.letrec((tie) => ({
    value: fc.oneof(
      { depthSize: 'small' },
      fc.constantFrom(null, true, false),
      fc.maxSafeInteger(),
      fc.string({ unit: 'grapheme' }),
      fc.array(tie('value')),
      fc.dictionary(fc.string({ unit: 'grapheme' }), tie('value'), { noNullPrototype: true }),
    ),
  })).value;
  fc.assert(
    fc.property(
      fc.dictionary(fc.string({ unit: 'grapheme' }), value, { noNullPrototype: true }),
      (object) => {
        const text = JSON.stringify(object);
        if (text.includes('"__proto__"')) return;
        expect(parse(text)).toEqual(JSON.parse(text));
      },
    ),
  );
});

describe('attack 19: what is no sound JSON object', () => {
  test.each<[string, string | Uint8Array, string]>([
    ['nothing', '', 'not_json'],
    ['a blank', ' ', 'not_json'],
    ['half an object', '{"a":1', 'not_json'],
    ['a tail', '{} {}', 'not_json'],
    ['a comment', '{/**/}', 'not_json'],
    ['a comma at the end', '{"a":1,}', 'not_json'],
    ['NaN', '{"a":NaN}', 'not_json'],
    ['a leading zero', '{"a":01}', 'not_json'],
    ['a raw control byte in a string', '{"a":"\u0001"}', 'not_json'],
    ['a byte order mark', '\ufeff{}', 'not_json'],
    ['utf-16', Buffer.from('{"a":1}', 'utf16le'), 'not_json'],
    ['invalid UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]), 'not_json'],
    ['overlong UTF-8', Buffer.from([0x7b, 0x22, 0xc1, 0xa1, 0x22, 0x3a, 0x31, 0x7d]), 'not_json'],
    ['a surrogate in UTF-8', Buffer.from([0x7b, 0x22, 0xed, 0xa0, 0x80, 0x22, 0x3a, 0x31, 0x7d]), 'not_json'],
    ['half a surrogate pair', '{"a":["\\ud800"]}', 'bad_json'],
    ['half a pair in a key', '{"\\udc00":1}', 'bad_json'],
    ['an array', '[]', 'bad_json'],
    ['a string', '"{}"', 'bad_json'],
    ['null', 'null', 'bad_json'],
    ['1e400', '{"a":1e400}', 'bad_json'],
    ['a float', '{"a":{"b":[1.5]}}', 'bad_json'],
    ['2^53', '{"a":9007199254740992}', 'bad_json'],
    ['-2^60', '{"a":-1152921504606846976}', 'bad_json'],
    ['65 levels', `${'{"a":'.repeat(65)}1${'}'.repeat(65)}`, 'bad_json'],
    ['more than 10 000 values', `{"a":[${'0,'.repeat(10_000)}0]}`, 'too_large'],
    ['more than 1000 names', `{${Array.from({ length: 1001 }, (_, at) => `"${at}":0`)}}`, 'too_large'],
    ['a name of more than 512 bytes', `{"a":{"${'é'.repeat(256)}e" : 0}}`, 'too_large'],
    ['more than 10 000 empty objects', `{"a":[${'{},'.repeat(5_001)}{}]}`, 'too_large'],
    ['10 000 levels', `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)}}`, 'bad_json'],
    ['10 000 levels that are never closed', `{"a":${'['.repeat(10_000)}`, 'bad_json'],
  ])('%s', (_name, text, expected) => {
    expect(outcome(text)).toBe(expected);
  });

  test('1000 names are read, also long ones, and colons in strings are none', () => {
    expect(outcome(`{${Array.from({ length: 1000 }, (_, at) => `"${'é'.repeat(250)}${at}":0`)}}`)).toBe(
      'read',
    );
    expect(outcome(`{"a":["${':'.repeat(2000)}"]}`)).toBe('read');
  });

  test('text of every kind is read as it is', () => {
    for (const text of ['é', '漢字', 'a\u{1f600}b', '\u{10ffff}', 'ÿ\u0000'.repeat(1000)]) {
      expect(parseStrictJson(Buffer.from(JSON.stringify({ text })))).toEqual({ text });
    }
  });

  test('10 000 values are read, and commas in strings are none', () => {
    expect(outcome(`{"devices":[${Array.from({ length: 9_998 }, (_, at) => `"DEVICE${at}"`)}]}`)).toBe(
      'read',
    );
    expect(outcome(`{"a":"${','.repeat(20_000)}\\\\"}`)).toBe('read');
    expect(outcome(`{"a":"\\"${','.repeat(20_000)}"}`)).toBe('read');
  });

  test('64 levels are read, and brackets in strings are none', () => {
    expect(outcome(`${'{"a":'.repeat(64)}1${'}'.repeat(64)}`)).toBe('read');
    expect(outcome(`{"a":"${'['.repeat(1000)}\\"${'{'.repeat(1000)}\\\\"}`)).toBe('read');
  });
});

test('a refusal does not repeat the body', () => {
  try {
    parse('{"password":"hunter2"');
  } catch (error) {
    expect(JSON.stringify(error, Object.getOwnPropertyNames(error))).not.toContain('hunter2');
    expect((error as Error).cause).toBeUndefined();
  }
  expect.assertions(2);
});

test('attack 13: of a repeated key the last value counts', () => {
  expect(JSON.stringify(parse('{"type":"a","user":"b","type":"c"}'))).toBe('{"type":"c","user":"b"}');
});

describe('attack 14: keys that pollute or imitate', () => {
  test('__proto__ is dropped at every level, however it is written', () => {
    const read = parse('{"__proto__":{"x":1},"a":[{"\\u005f_proto__":{"x":1},"b":1}],"constructor":"c"}');
    expect(JSON.stringify(read)).toBe('{"a":[{"b":1}],"constructor":"c"}');
    expect(Object.getPrototypeOf(read)).toBe(Object.prototype);
    expect(({} as { x?: number }).x).toBeUndefined();
  });

  test('keys that fold to a known one are dropped at every level, unknown ones kept', () => {
    const imitations = { USER: 'b', 'u\u017fer': 'c', 'to\u212aen': 'd', Identifier: 'e', DEVICE_ID: 'f' };
    const object = { user: 'a', other: 'g', Other: 'h', ...imitations };
    const read = parse(JSON.stringify({ ...object, auth: object, list: [object] }));
    const kept = { user: 'a', other: 'g', Other: 'h' };
    expect(read).toEqual({ ...kept, auth: kept, list: [kept] });
  });
});

describe('where no key may be repeated', () => {
  test.each([
    '{"a":1,"a":1}',
    '{"a":1,"\\u0061":2}',
    '{"b":[{},{"a":1,"a":1}]}',
    '{"__proto__":1,"__proto__":2}',
    '{"1":0,"a":0,"1":0}',
  ])('%s is refused', (text) => {
    expect(() => parseUnrepeatedJson(Buffer.from(text))).toThrow('repeated');
    expect(outcome(text)).toBe('read');
  });

  test('all else is read as ever, whatever stands in its texts', () => {
    const texts = fc.dictionary(fc.string({ unit: 'grapheme' }), fc.jsonValue({ maxDepth: 3 }), {
      noNullPrototype: true,
    });
    fc.assert(
      fc.property(texts, (object) => {
        const bytes = Buffer.from(JSON.stringify(object));
        const read = outcome(bytes);
        if (read === 'read') expect(parseUnrepeatedJson(bytes)).toEqual(parse(bytes));
        else expect(() => parseUnrepeatedJson(bytes)).toThrow(Refusal);
      }),
    );
    expect(parseUnrepeatedJson(Buffer.from('{"a":{"a":[{"a":"\\":"}]}}'))).toEqual({
      a: { a: [{ a: '":' }] },
    });
  });
});
