import { randomBytes } from 'node:crypto';
import type { JsonObject } from '../../../src/matrix/wire.ts';

export interface StubDevice {
  readonly userId: string;
  readonly deviceId: string;
  displayName: string | null;
  lastSeenIp: string;
  /** What `/keys/upload` brought; its presence is what R5 protects. */
  deviceKeys: JsonObject | undefined;
}

export interface CrossSigningKeys {
  master: JsonObject | undefined;
  selfSigning: JsonObject | undefined;
  userSigning: JsonObject | undefined;
}

export interface StubUser {
  readonly userId: string;
  readonly localpart: string;
  /** Null: no one can sign in with a password (an account from single sign-on). */
  password: string | null;
  deactivated: boolean;
  readonly isGuest: boolean;
  readonly devices: Map<string, StubDevice>;
  readonly crossSigning: CrossSigningKeys;
  readonly emails: Set<string>;
  readonly phones: Set<string>;
}

export interface StubToken {
  readonly token: string;
  readonly userId: string;
  readonly deviceId: string;
  /** Milliseconds since the epoch; null: never. */
  expiresAt: number | null;
  /** When its owner last proved the password: login or user-interactive authentication. */
  validatedAt: number;
}

export interface StubRefreshToken {
  readonly token: string;
  readonly userId: string;
  readonly deviceId: string;
}

export interface StubLoginToken {
  readonly userId: string;
  readonly expiresAt: number;
}

/** A user-interactive authentication session of the homeserver. */
export interface StubUiaSession {
  readonly id: string;
  /** Method and path. */
  readonly operation: string;
  /** Who began it; undefined where there was no token. */
  readonly userId: string | undefined;
  readonly completed: Map<string, string>;
  body: JsonObject;
  finished: boolean;
  /** What the finished session of a registration made. */
  registered: JsonObject | undefined;
}

/** Everything the stub homeserver knows. */
export class StubState {
  readonly users = new Map<string, StubUser>();
  readonly tokens = new Map<string, StubToken>();
  readonly refreshTokens = new Map<string, StubRefreshToken>();
  readonly loginTokens = new Map<string, StubLoginToken>();
  /** Whose the JSON Web Tokens of an operator's own issuer are. */
  readonly jwts = new Map<string, string>();
  readonly uiaSessions = new Map<string, StubUiaSession>();
  /** Addresses whose owner clicked the link, by session id. */
  readonly validatedEmails = new Map<string, string>();
  readonly lastLoginTokenAt = new Map<string, number>();

  constructor(readonly serverName: string) {}

  addUser(localpart: string, password: string | null, isGuest = false): StubUser {
    const user: StubUser = {
      userId: `@${localpart}:${this.serverName}`,
      localpart,
      password,
      deactivated: false,
      isGuest,
      devices: new Map(),
      crossSigning: { master: undefined, selfSigning: undefined, userSigning: undefined },
      emails: new Set(),
      phones: new Set(),
    };
    this.users.set(user.userId, user);
    return user;
  }

  user(userId: string): StubUser {
    const user = this.users.get(userId);
    if (user === undefined) throw new Error(`the stub has no user ${userId}`);
    return user;
  }

  userByLocalpart(localpart: string): StubUser | undefined {
    return this.users.get(`@${localpart}:${this.serverName}`);
  }

  ownerOfAddress(address: string): StubUser | undefined {
    const folded = address.toLowerCase();
    return [...this.users.values()].find((user) => user.emails.has(folded) || user.phones.has(address));
  }

  tokensOf(userId: string): StubToken[] {
    return [...this.tokens.values()].filter((token) => token.userId === userId);
  }

  /** A new access token on a device, which is made if it is not there. */
  openDevice(user: StubUser, deviceId: string, displayName: string | null, now: number): StubToken {
    const device = user.devices.get(deviceId);
    if (device === undefined) {
      user.devices.set(deviceId, {
        userId: user.userId,
        deviceId,
        displayName,
        lastSeenIp: '',
        deviceKeys: undefined,
      });
    }
    return this.addToken(user.userId, deviceId, null, now);
  }

  addToken(userId: string, deviceId: string, expiresAt: number | null, now: number): StubToken {
    const token: StubToken = {
      token: `stub_${randomBytes(12).toString('hex')}`,
      userId,
      deviceId,
      expiresAt,
      validatedAt: now,
    };
    this.tokens.set(token.token, token);
    return token;
  }

  addRefreshToken(userId: string, deviceId: string): string {
    const token = `stubr_${randomBytes(12).toString('hex')}`;
    this.refreshTokens.set(token, { token, userId, deviceId });
    return token;
  }

  addLoginToken(userId: string, expiresAt: number): string {
    const token = `stubl_${randomBytes(12).toString('hex')}`;
    this.loginTokens.set(token, { userId, expiresAt });
    return token;
  }

  /** Ends access and refresh tokens of one device, and leaves the device itself. */
  endTokensOf(userId: string, deviceId: string): void {
    for (const kind of [this.tokens, this.refreshTokens]) {
      for (const [text, token] of kind) {
        if (token.userId === userId && token.deviceId === deviceId) kind.delete(text);
      }
    }
  }

  /** Ends a device with its keys and all of its tokens. */
  deleteDevice(userId: string, deviceId: string): void {
    this.users.get(userId)?.devices.delete(deviceId);
    this.endTokensOf(userId, deviceId);
  }

  deleteAllDevices(userId: string, exceptDeviceId?: string): void {
    for (const deviceId of [...this.user(userId).devices.keys()]) {
      if (deviceId !== exceptDeviceId) this.deleteDevice(userId, deviceId);
    }
  }

  freshDeviceId(): string {
    return randomBytes(5).toString('hex').toUpperCase();
  }
}
