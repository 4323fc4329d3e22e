import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { type RecoveryFacts, recoveryEvent, recoveryMessage } from '../../src/notify/recovery_message.ts';
import type { RecipientRole } from '../../src/storage/tables/recovery_notices.ts';
import type { Language } from '../../src/system/languages.ts';
import { HARMFUL, hostileText } from '../support/hostile_text.ts';

const CANCEL = 'https://matrix.example.org/_2fa/recover/cancel?t=abc';
const FACTS: RecoveryFacts = {
  begunTs: Date.UTC(2026, 10, 28, 18, 30),
  opensTs: Date.UTC(2026, 11, 1, 18, 30),
};
const OCCASIONS = ['begun', 'repeated', 'tomorrow', 'opened'] as const;
const ROLES: readonly RecipientRole[] = ['owner', 'contact', 'operator', 'voter', 'room_admin'];
const ENDS = ['cancelled', 'refused', 'finished', 'expired'] as const;

function told(
  role: RecipientRole,
  { event = recoveryEvent('begun'), facts = FACTS, language = 'en' as Language } = {},
) {
  return recoveryMessage(event, facts, { userId: '@bob:example.org', role, cancelUrl: CANCEL }, language);
}

describe('what someone is told of a recovery request', () => {
  test('the owner: what happens, until when, and the link that cancels it', () => {
    const { subject, text } = told('owner');
    expect(subject).toBe('[example.org] Recovery of your account was started');
    expect(text).toContain(`Account: @bob:example.org
Started: 2026-11-28 18:30 UTC
Possible from: 2026-12-01 18:30 UTC

If this was not you, cancel it. The link opens a page with one button; it asks for no password and no code:
${CANCEL}

Then change your password at your server: the one who started this knows it.

We never ask for a password or a code in a message.
`);
  });

  test('owners and operators: from where it was begun; others are not', () => {
    const facts = { ...FACTS, from: '203.0.113.7\u202e' };
    for (const role of ROLES) {
      const isTold = role === 'owner' || role === 'contact' || role === 'operator';
      expect([role, told(role, { facts }).text.includes('Address: 203.0.113.7·\n')]).toEqual([role, isTold]);
    }
    expect(told('owner').text).not.toContain('Address');
  });

  test('others: whose account it is, and why they are told', () => {
    expect(told('operator').subject).toBe('[example.org] Recovery of an account was started');
    expect(told('operator').text).toContain('the password of @bob:example.org says');
    expect(told('operator').text).toContain('account_recovery.operators');
    expect(told('voter').text).toContain('@bob:example.org has named you as someone whom they trust');
    expect(told('room_admin').text).toContain('administer a room together with @bob:example.org');
    expect(told('contact').text).toContain('named as the contact');
  });

  test('in German', () => {
    const { subject, text } = told('owner', { language: 'de' });
    expect(subject).toBe('[example.org] Die Wiederherstellung deines Kontos wurde begonnen');
    expect(text).toContain('Möglich ab: 2026-12-01 18:30 UTC');
  });

  test.each(ROLES)(
    'attack 275: the only link to %s is their own, as long as it runs; none asks for anything',
    (role) => {
      for (const language of ['en', 'de'] as const) {
        for (const occasion of OCCASIONS) {
          const { text } = told(role, { event: recoveryEvent(occasion), language });
          expect(text.match(/https?:\S*/g)).toEqual([CANCEL]);
        }
        for (const end of ENDS) {
          const { subject, text } = told(role, {
            event: recoveryEvent('ended'),
            facts: { ...FACTS, end },
            language,
          });
          expect(`${subject}${text}`).not.toContain('http');
        }
      }
    },
  );

  test('each occasion and each end has a subject of its own', () => {
    const running = OCCASIONS.map((each) => told('owner', { event: recoveryEvent(each) }).subject);
    const ended = ENDS.map(
      (end) => told('owner', { event: recoveryEvent('ended'), facts: { ...FACTS, end } }).subject,
    );
    expect(new Set([...running, ...ended]).size).toBe(OCCASIONS.length + ENDS.length);
  });

  test('attack 189: foreign text in it commands and turns nothing', () => {
    fc.assert(
      fc.property(hostileText, (name) => {
        const userId = `@${name}:example.org`;
        const reader = { userId, role: 'operator' as const, cancelUrl: CANCEL };
        const { subject, text } = recoveryMessage(recoveryEvent('begun'), FACTS, reader, 'en');
        expect(subject).toMatch(/^\[(example\.org|Matrix)\] Recovery of an account was started$/);
        expect(text.replaceAll('\n', '')).not.toMatch(HARMFUL);
        expect(text.split('\n')).toHaveLength(15);
      }),
    );
  });
});
