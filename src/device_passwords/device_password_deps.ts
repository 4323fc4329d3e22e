import type { Audit } from '../audit/audit.ts';
import type { Homeserver } from '../homeserver/homeserver.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Policies } from '../policy/policies.ts';
import type { Driver } from '../storage/statement.ts';
import type { FoundDevicePassword } from '../storage/tables/device_passwords.ts';
import type { Vault } from '../vault/vault.ts';

/** The digests of secrets are made for this alone. */
const PURPOSE = 'device-password';

export interface DevicePasswordSettings {
  readonly enabled: boolean;
  readonly maxPerUser: number;
}

/** What everything about device passwords is made of. */
export interface DevicePasswordDeps {
  readonly storage: Pick<Driver, 'commit' | 'read'>;
  readonly vault: Vault;
  readonly homeserver: Homeserver;
  readonly policies: Pick<Policies, 'of'>;
  readonly audit: Audit;
  readonly devicePasswords: DevicePasswordSettings;
}

/** The digest under the key that is active now. */
export function digestOf(vault: Vault, secret: string): string {
  return vault.digest(PURPOSE, secret);
}

/** The digests under every key of the ring: a device password lives as long as its owner wants. */
export function digestsOf(vault: Vault, secret: string): readonly string[] {
  return vault.digests(PURPOSE, secret, Number.POSITIVE_INFINITY);
}

/** @throws Refusal unrecognized where the operator has turned device passwords off */
export function requireOn({ devicePasswords }: Pick<DevicePasswordDeps, 'devicePasswords'>): void {
  if (!devicePasswords.enabled) throw new Refusal('unrecognized');
}

/** Whether the operator's policy lets this user have device passwords. */
export async function mayHave(policies: DevicePasswordDeps['policies'], userId: string): Promise<boolean> {
  return (await policies.of(userId)).devicePasswords.value !== 'forbidden';
}

export function isExpired({ expiresAt, now }: Pick<FoundDevicePassword, 'expiresAt' | 'now'>): boolean {
  return expiresAt !== null && expiresAt <= now;
}
