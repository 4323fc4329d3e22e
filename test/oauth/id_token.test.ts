import { createPublicKey, verify } from 'node:crypto';
import { expect, test } from '@jest/globals';
import { IdTokens } from '../../src/oauth/id_token.ts';
import { describeOnBothStores, replicasOf } from '../storage/on_both.ts';
import { NOW } from '../storage/rows.ts';
import { testVault } from '../support/test_vault.ts';

const ISSUER = 'https://matrix.example.org/';

describeOnBothStores('ID tokens', (opened) => {
  test('attack 299: of two processes that sign first, both sign by the key that was kept', async () => {
    const { clock } = opened;
    const [one, other] = (await replicasOf(opened)).map(
      (storage) => new IdTokens({ storage, vault: testVault(), clock }, ISSUER),
    ) as [IdTokens, IdTokens];
    const about = { clientId: 'client', userId: '@alice:hs.example', nonce: null };
    const tokens = await Promise.all([one.issue(about), other.issue({ ...about, nonce: 'n' })]);
    const { keys } = (await one.describe()).body as unknown as { keys: { kid: string }[] };
    expect(keys).toHaveLength(1);
    const key = createPublicKey({ key: keys[0] as never, format: 'jwk' });
    const now = Math.floor(NOW / 1000);
    const claims = { iss: ISSUER, sub: '@alice:hs.example', aud: 'client', iat: now, exp: now + 600 };
    const [first = '', second = ''] = tokens;
    expect(readToken(first)).toEqual([{ alg: 'RS256', typ: 'JWT', kid: keys[0]?.kid }, claims]);
    expect(readToken(second)[1]).toEqual({ ...claims, nonce: 'n' });
    for (const token of tokens) {
      const [head = '', body = '', signature = ''] = token.split('.');
      const signed = Buffer.from(`${head}.${body}`);
      expect(verify('sha256', signed, key, Buffer.from(signature, 'base64url'))).toBe(true);
      expect(verify('sha256', Buffer.from(`${head}.x`), key, Buffer.from(signature, 'base64url'))).toBe(
        false,
      );
    }
  });
});

function readToken(token: string): unknown[] {
  const parts = token.split('.').slice(0, 2);
  return parts.map((part): unknown => JSON.parse(Buffer.from(part, 'base64url').toString()));
}
