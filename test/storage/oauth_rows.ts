import type { Storage } from '../../src/storage/storage.ts';
import {
  keepCode,
  keepDeviceGrant,
  type NewCode,
  type NewDeviceGrant,
  type PendingLimits,
} from '../../src/storage/tables/oauth_grants.ts';
import { keepOauthSession, type NewOauthSession } from '../../src/storage/tables/oauth_sessions.ts';
import { ALICE, MINUTE } from './rows.ts';

export const ASKED = { clientId: 'client', scope: 'scope', deviceId: 'DEVICE' };

export function keepCodeOf(storage: Storage, different: Partial<NewCode> = {}): Promise<object | undefined> {
  const code: NewCode = {
    ...ASKED,
    idHash: 'code',
    userId: ALICE,
    version: 0,
    sealedLogin: Buffer.from('login'),
    nonce: null,
    redirectUri: 'https://app.example/',
    challenge: 'challenge',
    ...different,
  };
  return storage.commit([code.userId], keepCode(code, 2 * MINUTE));
}

export async function keepDeviceGrantOf(
  storage: Storage,
  different: Partial<NewDeviceGrant> = {},
  limits: PendingLimits = { perAddress: 9, inAll: 99 },
): Promise<object | undefined> {
  const idHash = different.idHash ?? 'device';
  const grant: NewDeviceGrant = {
    ...ASKED,
    idHash,
    userCodeHash: `user code of ${idHash}`,
    askedFrom: '192.0.2.7',
    intervalMs: 5000,
    ...different,
  };
  const [, kept] = await storage.commit([], keepDeviceGrant(grant, 10 * MINUTE, limits));
  return kept;
}

export function keepSessionOf(storage: Storage, different: Partial<NewOauthSession> = {}): Promise<number> {
  const session: NewOauthSession = {
    ...ASKED,
    sessionId: 'session',
    userId: ALICE,
    accessHash: 'access',
    refreshHash: 'refresh 1',
    sealedTokens: Buffer.from('tokens'),
    ...different,
  };
  return storage.commit([session.userId], keepOauthSession(session));
}
