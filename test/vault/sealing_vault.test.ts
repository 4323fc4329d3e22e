import { describe, expect, test } from '@jest/globals';
import { systemRandom } from '../../src/system/random.ts';
import type { KeyRing, RingKey } from '../../src/vault/key_ring.ts';
import { SealingVault } from '../../src/vault/sealing_vault.ts';
import { SealBroken } from '../../src/vault/vault.ts';
import { ManualClock } from '../support/manual_clock.ts';

const first: RingKey = { id: 'first', created: 1, secret: Buffer.alloc(32, 1) };
const second: RingKey = { id: 'second', created: 2, secret: Buffer.alloc(32, 2) };
const ringOf = (...keys: [RingKey, ...RingKey[]]): KeyRing => ({ active: keys.at(-1) ?? keys[0], keys });
const vaultOf = (...keys: [RingKey, ...RingKey[]]) => new SealingVault(ringOf(...keys), systemRandom);

describe('sealing', () => {
  test('opens what it sealed, text and bytes, empty too', () => {
    const vault = vaultOf(first);
    for (const plain of ['', 'seed', 'häßlich 🔑']) {
      expect(vault.open(vault.seal(plain, 'row:1'), 'row:1').toString()).toBe(plain);
    }
    const bytes = Buffer.from([0, 255, 1, 128]);
    expect(vault.open(vault.seal(bytes, 'row:1'), 'row:1').equals(bytes)).toBe(true);
  });

  test('the sealed value names its key and hides the content', () => {
    const sealed = vaultOf(first).seal('JBSWY3DPEHPK3PXP', 'row:1');
    expect(sealed.includes('first')).toBe(true);
    expect(sealed.includes('JBSWY3DPEHPK3PXP')).toBe(false);
  });

  test('the same content sealed twice looks different', () => {
    const vault = vaultOf(first);
    expect(vault.seal('seed', 'row:1').equals(vault.seal('seed', 'row:1'))).toBe(false);
  });

  test('attack 83: a value copied into the row of another user does not open', () => {
    const vault = vaultOf(first);
    const sealed = vault.seal('seed', 'authenticator:1:@a:hs');
    expect(() => vault.open(sealed, 'authenticator:1:@b:hs')).toThrow(SealBroken);
    expect(() => vault.open(sealed, 'setup:1:@a:hs')).toThrow(SealBroken);
    expect(() => vault.open(sealed, '')).toThrow(SealBroken);
  });

  test('attack 83: a key id written over another one does not open, though both are in the ring', () => {
    const twin: RingKey = { id: 'fIrst', created: 1, secret: first.secret };
    const sealed = vaultOf(first).seal('seed', 'row:1');
    Buffer.from('fIrst').copy(sealed, 2);
    expect(() => vaultOf(first, twin).open(sealed, 'row:1')).toThrow(SealBroken);
  });

  test('does not open under another key of the same id', () => {
    const sealed = vaultOf(first).seal('seed', 'row:1');
    expect(() => vaultOf({ ...first, secret: second.secret }).open(sealed, 'row:1')).toThrow(SealBroken);
  });

  test('does not open without its key', () => {
    expect(() => vaultOf(second).open(vaultOf(first).seal('seed', 'row:1'), 'row:1')).toThrow(SealBroken);
  });

  test('does not open with any byte cut off', () => {
    const vault = vaultOf(first);
    const sealed = vault.seal('seed', 'row:1');
    for (let length = 0; length < sealed.length; length += 1) {
      expect(() => vault.open(sealed.subarray(0, length), 'row:1')).toThrow(SealBroken);
    }
    expect(() => vault.open(Buffer.concat([sealed, Buffer.from([0])]), 'row:1')).toThrow(SealBroken);
  });

  test('does not open with any bit flipped', () => {
    const vault = vaultOf(first);
    const sealed = vault.seal('seed', 'row:1');
    for (let bit = 0; bit < sealed.length * 8; bit += 1) {
      const flipped = Buffer.from(sealed);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      expect(() => vault.open(flipped, 'row:1')).toThrow(SealBroken);
    }
  });
});

describe('rotation', () => {
  test('old values still open, new ones are under the new key', () => {
    const old = vaultOf(first).seal('seed', 'row:1');
    const rotated = vaultOf(first, second);
    expect(rotated.open(old, 'row:1').toString()).toBe('seed');
    const fresh = rotated.seal('seed', 'row:1');
    expect(() => vaultOf(first).open(fresh, 'row:1')).toThrow(SealBroken);
    expect(vaultOf(second).open(fresh, 'row:1').toString()).toBe('seed');
  });

  test('a running process reads the ring again for a key that another one made', () => {
    let reloads = 0;
    const reload = () => {
      reloads += 1;
      return ringOf(first, second);
    };
    const running = new SealingVault(ringOf(first), systemRandom, { reload });
    const theirs = vaultOf(first, second).seal('seed', 'row:1');
    expect(running.open(theirs, 'row:1').toString()).toBe('seed');
    expect(running.open(theirs, 'row:1').toString()).toBe('seed');
    expect(reloads).toBe(1);
  });

  test('a ring that cannot be read again breaks that one value only', () => {
    const reload = () => {
      throw new Error('gone');
    };
    const running = new SealingVault(ringOf(first), systemRandom, { reload });
    const own = running.seal('seed', 'row:1');
    expect(() => running.open(vaultOf(second).seal('seed', 'row:1'), 'row:1')).toThrow(SealBroken);
    expect(running.open(own, 'row:1').toString()).toBe('seed');
  });
});

describe('a rotation while several processes run', () => {
  const clock = new ManualClock();
  const pending: RingKey = { ...second, activeFrom: clock.now() + 60_000 };
  const before = ringOf(first);
  const after: KeyRing = { active: first, keys: [first, pending] };

  test('attack 169: all seal with the old key until its time, then all with the new one', () => {
    const [one, other] = [before, after].map((ring) => new SealingVault(ring, systemRandom, { clock }));
    one?.take(after);
    expect(one?.digest('join', 'x')).toBe(vaultOf(first).digest('join', 'x'));
    clock.advance(60_000);
    expect(one?.digest('join', 'x')).toBe(vaultOf(second).digest('join', 'x'));
    expect(one?.digest('join', 'x')).toBe(other?.digest('join', 'x'));
    expect(one?.pepper().keyId).toBe('second');
  });

  test('attack 169: what was stored under another key of the ring is found and recognised', () => {
    const old = vaultOf(first).digest('join', 'x');
    const rotated = vaultOf(first, second);
    expect(rotated.digests('join', 'x', 60_000)).toEqual([rotated.digest('join', 'x'), old]);
    expect(rotated.isDigest(old, 'join', 'x')).toBe(true);
    expect(rotated.isDigest(old, 'join', 'y')).toBe(false);
    expect(rotated.isDigest('', 'join', 'x')).toBe(false);
    expect(rotated.isDigest(old.replace('first', 'second'), 'join', 'x')).toBe(false);
    expect(rotated.isDigest(old.replace('first', 'third'), 'join', 'x')).toBe(false);
  });

  test('a digest is looked for under the keys that may have made one that still lives', () => {
    const minutes = (count: number) => clock.now() + count * 60_000;
    const ring: KeyRing = {
      active: first,
      keys: [
        first,
        { ...second, activeFrom: minutes(-30) },
        { ...second, id: 'third', activeFrom: minutes(-20) },
        { ...second, id: 'fourth', activeFrom: minutes(5) },
      ],
    };
    const vault = new SealingVault(ring, systemRandom, { clock });
    const keysFor = (livesMs: number) =>
      vault.digests('join', 'x', livesMs).map((digest) => digest.slice(0, digest.lastIndexOf('.')));
    expect(keysFor(60_000)).toEqual(['third', 'fourth']);
    expect(keysFor(11 * 60_000)).toEqual(['third', 'second', 'fourth']);
    expect(keysFor(60 * 60_000)).toEqual(['third', 'first', 'second', 'fourth']);
  });
});

describe('digests and peppers', () => {
  test('a digest is the same for the same purpose and value, and differs otherwise', () => {
    const vault = vaultOf(first);
    const digest = vault.digest('join', 'secret');
    expect(digest).toMatch(/^first\.[0-9a-f]{64}$/);
    expect(vaultOf(first).digest('join', 'secret')).toBe(digest);
    expect(vault.digest('body', 'secret')).not.toBe(digest);
    expect(vault.digest('join', 'secret2')).not.toBe(digest);
    expect(vault.digest('joins', 'ecret')).not.toBe(digest);
    expect(vaultOf(second).digest('join', 'secret')).not.toBe(digest);
  });

  test('the pepper is that of the named key, by default of the active one', () => {
    const rotated = vaultOf(first, second);
    expect(rotated.pepper().keyId).toBe('second');
    expect(rotated.pepper('first')).toEqual(vaultOf(first).pepper());
    expect(rotated.pepper('first').secret.equals(rotated.pepper('second').secret)).toBe(false);
    expect(() => rotated.pepper('third')).toThrow(SealBroken);
  });

  test('no one can change the kept pepper through what was handed out', () => {
    const vault = vaultOf(first);
    vault.pepper().secret.fill(0);
    expect(vault.pepper()).toEqual(vaultOf(first).pepper());
  });
});
