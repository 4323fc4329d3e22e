import type { PasswordRules } from './personality.ts';

const BCRYPT_BYTES = 72;

/** Whether this homeserver takes `given` for the `stored` password. */
export function isRightPassword(stored: string | null, given: string, rules: PasswordRules): boolean {
  if (stored === null) return false;
  const [storedBytes, givenBytes] = [bytesOf(stored, rules), bytesOf(given, rules)];
  if (rules.longerThan72 === 'whole') return storedBytes.equals(givenBytes);
  if (rules.longerThan72 === 'cut_unless_stored_longer' && storedBytes.length > BCRYPT_BYTES) return false;
  return storedBytes.subarray(0, BCRYPT_BYTES).equals(givenBytes.subarray(0, BCRYPT_BYTES));
}

function bytesOf(password: string, rules: PasswordRules): Buffer {
  return Buffer.from(rules.normalises ? password.normalize('NFKC') : password);
}
