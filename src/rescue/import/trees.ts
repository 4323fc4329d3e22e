import { parseDocument } from 'yaml';
import { KEYS_ARE_LOOKED_AT_LATER, offsetOfRepeatedKey } from '../../system/repeated_key.ts';
import {
  type Entry,
  ImportFileError,
  memberAt,
  seedFromBase32,
  seedOfPrivacyidea,
  textAt,
  userOfPrivacyidea,
} from './entry.ts';

/** `authelia storage user totp export`: YAML. */
export function readAutheliaTree(text: string): Entry[] {
  const list = memberAt(yamlIn(text), 'totp_configurations');
  if (!Array.isArray(list)) throw new ImportFileError('there is no list totp_configurations');
  return list.map((each: unknown, at) => ({
    is: 'found',
    place: `entry ${at + 1}`,
    user: textAt(each, 'username'),
    algorithm: textAt(each, 'algorithm'),
    digits: textAt(each, 'digits'),
    period: textAt(each, 'period'),
    // The base32 text that is in the database, once more in base64.
    seed: seedFromBase32(Buffer.from(textAt(each, 'secret'), 'base64').toString('utf8')),
  }));
}

/** `pi-tokenjanitor find export --format yaml`, with `--b32` or without. */
export function readPrivacyideaTree(text: string): Entry[] {
  const list = yamlIn(text);
  if (!Array.isArray(list)) throw new ImportFileError('there is no list of tokens');
  return list.map((each: unknown, at) => tokenOf(each, `entry ${at + 1}`));
}

function tokenOf(token: unknown, place: string): Entry {
  const type = textAt(token, 'type').toUpperCase();
  if (type === '') return { is: 'unreadable', place, why: 'this is not a token of pi-tokenjanitor' };
  const user = userOfPrivacyidea(textAt(token, 'owner'));
  const skipped = (why: string): Entry => ({
    ...{ is: 'skipped', place, why },
    user: user ?? textAt(token, 'serial'),
  });
  if (user === undefined) return skipped('it has no owner');
  if (type !== 'TOTP') return skipped(`it is of the kind ${type}`);
  // Perhaps of a phone that was lost: its codes must not become good again.
  if (textAt(token, 'revoked') !== 'false') return skipped('it is revoked');
  if (textAt(token, 'active') !== 'true') return skipped('it is disabled');
  const info = memberAt(token, 'info_list');
  return {
    ...{ is: 'found', place, user },
    name: textAt(token, 'description') || undefined,
    algorithm: textAt(info, 'hashlib'),
    digits: textAt(token, 'otplen'),
    period: textAt(info, 'timeStep'),
    seed: seedOfPrivacyidea(textAt(token, 'otpkey')),
  };
}

/** A realm or users file of `kc.sh export`, or several realms in a list. */
export function readKeycloakTree(text: string): Entry[] {
  const found = jsonIn(text, 'the file');
  const realms: readonly unknown[] = Array.isArray(found) ? found : [found];
  const lists = realms.map((realm) => memberAt(realm, 'users'));
  if (lists.length === 0 || !lists.every(Array.isArray)) throw new ImportFileError('there is no list users');
  return lists.flat().flatMap((user: unknown, at) => entriesOf(user, `user ${at + 1}`));
}

function entriesOf(holder: unknown, place: string): Entry[] {
  const credentials = memberAt(holder, 'credentials');
  if (!Array.isArray(credentials)) return [];
  const user = textAt(holder, 'username');
  return credentials
    .filter((credential: unknown) => memberAt(credential, 'type') === 'otp')
    .map((credential: unknown): Entry => {
      if (memberAt(holder, 'enabled') === false)
        return { is: 'skipped', place, user, why: 'the user is disabled' };
      return credentialOf(credential, place, user);
    });
}

/** Its parts are JSON texts in JSON. */
function credentialOf(credential: unknown, place: string, user: string): Entry {
  const secret = jsonOrNothing(textAt(credential, 'secretData'));
  const data = jsonOrNothing(textAt(credential, 'credentialData'));
  if (textAt(data, 'subType') === 'hotp')
    return { is: 'skipped', place, user, why: 'it is of the kind HOTP' };
  const value = textAt(secret, 'value');
  const isBase32 = textAt(data, 'secretEncoding').toUpperCase() === 'BASE32';
  return {
    is: 'found',
    place,
    user,
    name: textAt(credential, 'userLabel') || undefined,
    algorithm: textAt(data, 'algorithm').replace(/^Hmac/i, ''),
    digits: textAt(data, 'digits'),
    period: textAt(data, 'period'),
    seed: isBase32 ? seedFromBase32(value) : Buffer.from(value, 'utf8'),
  };
}

function jsonOrNothing(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** @throws ImportFileError without the text that the parser would quote */
function jsonIn(text: string, name: string): unknown {
  const found = jsonOrNothing(text);
  if (found === undefined) throw new ImportFileError(`${name} is not JSON`);
  return found;
}

/** @throws ImportFileError likewise */
function yamlIn(text: string): unknown {
  try {
    // All values are texts: a seed that looks like a number is not read as one.
    const document = parseDocument(text, {
      schema: 'failsafe',
      logLevel: 'error',
      ...KEYS_ARE_LOOKED_AT_LATER,
    });
    if (document.errors.length === 0 && offsetOfRepeatedKey(document) === undefined)
      return document.toJS({ maxAliasCount: 0 });
  } catch {
    // Nesting without an end, or names that stand for others.
  }
  throw new ImportFileError('the file is not YAML');
}
