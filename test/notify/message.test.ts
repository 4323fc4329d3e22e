import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { foreign, messageOf } from '../../src/notify/message.ts';
import { HARMFUL, hostileText } from '../support/hostile_text.ts';

const NOTICE = {
  event: 'totp.enabled',
  userId: '@bob:example.org',
  address: '192.0.2.1' as string | null,
  deviceId: 'PHONE' as string | null,
  detail: '{}',
  happenedAt: Date.UTC(2026, 10, 28, 18, 30),
};

describe('the texts', () => {
  test.each([
    [
      'totp.enabled',
      'Two-factor authentication was turned on',
      'Zwei-Faktor-Authentifizierung wurde eingeschaltet',
    ],
    [
      'webauthn.disabled',
      'Two-factor authentication was turned off',
      'Zwei-Faktor-Authentifizierung wurde ausgeschaltet',
    ],
    ['totp.added', 'An authenticator was added', 'Ein Authenticator wurde hinzugefügt'],
    [
      'webauthn.counter_back',
      'One of your security keys may have been copied',
      'Einer deiner Sicherheitsschlüssel wurde vielleicht kopiert',
    ],
    ['totp.removed', 'An authenticator was removed', 'Ein Authenticator wurde entfernt'],
    [
      'recovery.regenerated',
      'Your recovery codes were replaced',
      'Deine Wiederherstellungscodes wurden ersetzt',
    ],
    ['recovery.deleted', 'Your recovery codes were deleted', 'Deine Wiederherstellungscodes wurden gelöscht'],
    [
      'recovery.used',
      'A recovery code was used (3 left)',
      'Ein Wiederherstellungscode wurde verwendet (noch 3 übrig)',
    ],
    [
      'recovery_contacts.changed',
      'What you set for the recovery of your account was changed',
      'Was du für die Wiederherstellung deines Kontos eingestellt hast, wurde geändert',
    ],
    [
      'recovery_contacts.removed',
      'What you set for the recovery of your account was removed',
      'Was du für die Wiederherstellung deines Kontos eingestellt hast, wurde entfernt',
    ],
    ['failures', 'Wrong codes were entered', 'Falsche Codes wurden eingegeben'],
    [
      'operator.reset',
      'The operator reset your two-factor authentication',
      'Der Betreiber hat deine Zwei-Faktor-Authentifizierung zurückgesetzt',
    ],
    [
      'operator.emergency_code',
      'The operator issued a code for your two-factor authentication',
      'Der Betreiber hat einen Code für deine Zwei-Faktor-Authentifizierung ausgestellt',
    ],
    [
      'emergency_code.used',
      'A code that the operator issued was used',
      'Ein Code, den der Betreiber ausgestellt hat, wurde verwendet',
    ],
    [
      'operator.imported',
      'The operator set up your two-factor authentication',
      'Der Betreiber hat deine Zwei-Faktor-Authentifizierung eingerichtet',
    ],
    [
      'policy.required',
      'Set up two-factor authentication until 2026-12-24 12:30 UTC',
      'Richte die Zwei-Faktor-Authentifizierung bis 2026-12-24 12:30 UTC ein',
    ],
    [
      'policy.overdue',
      'Set up two-factor authentication until 2026-12-24 12:30 UTC',
      'Richte die Zwei-Faktor-Authentifizierung bis 2026-12-24 12:30 UTC ein',
    ],
  ])('%s', (event, en, de) => {
    const deadline_ts = Date.UTC(2026, 11, 24, 12, 30);
    const notice = { ...NOTICE, event, detail: JSON.stringify({ remaining: 3, deadline_ts }) };
    expect(messageOf(notice, 'en')?.subject).toBe(`[example.org] ${en}`);
    expect(messageOf(notice, 'de')?.subject).toBe(`[example.org] ${de}`);
  });

  test.each([
    'totp.used',
    'totp.renamed',
    'login.completed',
    'operator.unlock',
    'constructor',
    'x.constructor',
  ])('owners are told nothing of %s', (event) => {
    expect(messageOf({ ...NOTICE, event }, 'en')).toBeUndefined();
  });

  test('the body, whole', () => {
    expect(messageOf(NOTICE, 'en')?.text).toBe(`Two-factor authentication was turned on

Account: @bob:example.org
When: 2026-11-28 18:30 UTC
Address: 192.0.2.1
Device: PHONE

If this was not you: sign out devices that you do not know, change your password, and tell the operator of your server.

We never ask for a password or a code in a message.
`);
    expect(messageOf({ ...NOTICE, address: null, deviceId: null }, 'de')?.text).toContain(
      'Konto: @bob:example.org\nWann: 2026-11-28 18:30 UTC\n\nWenn du das nicht warst',
    );
  });
});

test('attack 189: what others chose is one line of 80 characters at most, and commands nothing', () => {
  fc.assert(
    fc.property(hostileText, hostileText, hostileText, (name, device, address) => {
      const notice = { ...NOTICE, userId: `@${name}:example.org`, deviceId: device, address };
      const message = messageOf(notice, 'en');
      const lines = message?.text.split('\n') ?? [];
      expect(lines).toHaveLength(11);
      expect(message?.text.replaceAll('\n', '')).not.toMatch(HARMFUL);
      expect(message?.subject).toMatch(/^\[(example\.org|Matrix)\] Two-factor authentication was turned on$/);
    }),
  );
  expect([...foreign('x'.repeat(500))]).toHaveLength(80);
});

test('attack 189: a server name that is none stands in no subject', () => {
  const subject = messageOf({ ...NOTICE, userId: '@bob:x\r\nBcc: eve@example.org' }, 'en')?.subject;
  expect(subject).toBe('[Matrix] Two-factor authentication was turned on');
});

test('attack 190: a device id makes no link', () => {
  const text = messageOf({ ...NOTICE, deviceId: 'https://evil.example/login?x' }, 'en')?.text ?? '';
  expect(text).not.toMatch(/https?:|evil\.example|\//);
});
