import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { recoveryEvent } from '../../src/notify/recovery_message.ts';
import { recoveryText } from '../../src/notify/recovery_text.ts';
import { hostileText } from '../support/hostile_text.ts';

const CANCEL = `https://matrix.example.org/_2fa/recover/cancel?t=${'A'.repeat(27)}`;
const READER = { userId: '@bob:example.org', role: 'contact', cancelUrl: CANCEL } as const;
const FACTS = { begunTs: 0, opensTs: 1, from: '203.0.113.7' };
const OCCASIONS = ['begun', 'repeated', 'tomorrow', 'opened'] as const;
const ENDS = ['cancelled', 'refused', 'finished', 'expired'] as const;
/** 3GPP TS 23.038, section 6.2.1, as far as texts of ours could need it; what stands there takes one place. */
const GSM = /^[A-Za-z0-9 \nÄÖÜäöüß@£$_!"#%&'()*+,\-./:;<=>?]*$/;

describe.each(['en', 'de'] as const)('text messages in %s', (language) => {
  const running = OCCASIONS.map((each) => recoveryText(recoveryEvent(each), FACTS, READER, language));
  const ended = ENDS.map((end) => recoveryText(recoveryEvent('ended'), { ...FACTS, end }, READER, language));

  test('each is one message of 160 letters, and says something of its own', () => {
    const texts = [...running, ...ended];
    expect(new Set(texts).size).toBe(texts.length);
    for (const text of texts) {
      expect(text).toMatch(GSM);
      expect(text.length).toBeLessThanOrEqual(160);
      expect(text).toMatch(/^example\.org: /);
    }
  });

  test('attack 342: the one link cancels, as long as there is something to cancel; nothing else is asked for', () => {
    for (const text of running) {
      expect(text.match(/https?:\S+/g)).toEqual([CANCEL]);
      expect(text).not.toMatch(/code|passwor/i);
    }
    for (const text of ended) expect(text).not.toContain('http');
  });
});

test('attack 342: the name of an account stands in none, and one that is not one makes no line', () => {
  fc.assert(
    fc.property(hostileText, (name) => {
      const reader = { ...READER, userId: `@${name}:example.org` };
      const hostile = recoveryText(recoveryEvent('begun'), FACTS, reader, 'en');
      // A colon in it makes another server of it.
      const shown = hostile.replace(/^Matrix:/, 'example.org:');
      expect(shown).toBe(recoveryText(recoveryEvent('begun'), FACTS, READER, 'en'));
    }),
  );
  const reader = { ...READER, userId: '@bob:x\r\nfree https://evil.example' };
  expect(recoveryText(recoveryEvent('begun'), FACTS, reader, 'en')).toMatch(/^Matrix: Recovery/);
});
