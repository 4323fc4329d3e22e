import { createHmac } from 'node:crypto';
import type { AuditRecord, ChainHead, ChainOpening, ChainSeals } from '../storage/chain.ts';
import type { Gap } from '../storage/tables/audit_chains.ts';
import { SealBroken, type Vault } from '../vault/vault.ts';

/** The key of the macs; a mac begins with its id and a dot. */
export interface AuditKey {
  readonly keyId: string;
  readonly secret: Buffer;
}

type Place = Pick<ChainHead, 'chain' | 'n'>;

/** An entry whose address may be the network that was left of it. */
export type StoredEntry = AuditRecord & {
  /** The digest of the whole address, where that is gone. */
  readonly addressDigest?: string | null;
};

/**
 * The mac of an entry: HMAC-SHA-256 of the entry as canonical JSON (RFC 8785), with a keyed digest for the address, and
 * of the mac before. The address can go later; what it was stays proven.
 */
export function entryMac(key: AuditKey, entry: StoredEntry, { chain, n }: Place, before: string): string {
  const { at, userId, event, actor, deviceId, requestId, detail } = entry;
  const address = entry.addressDigest ?? addressDigest(key, entry.address, { chain, n });
  // RFC 8785 wants names in the order of their code units. They stand in that order here: another one breaks every chain.
  const named = { actor, address, at, chain, detail: inOrder(detail), device_id: deviceId, event, n };
  return mac(key, `${JSON.stringify({ ...named, request_id: requestId, user_id: userId })}\n${before}`);
}

/** A digest of an address, another one for each entry: it does not show which entries are of one address. */
export function addressDigest(key: AuditKey, address: string | null, { chain, n }: Place): string | null {
  return address === null ? null : mac(key, `address\n${chain}\n${n}\n${address}`);
}

/** What binds a network to the digest of the address that it was. */
export function shortenedMac(key: AuditKey, { chain, n }: Place, network: string, digest: string): string {
  return mac(key, `shortened\n${chain}\n${n}\n${network}\n${digest}`);
}

export function openingMac(key: AuditKey, { chain, openedAt, beforeN, beforeMac }: ChainOpening): string {
  return mac(key, `opening\n${chain}\n${openedAt}\n${beforeN}\n${beforeMac}`);
}

export function gapMac(key: AuditKey, { chain, firstN, lastN, lastMac }: Omit<Gap, 'mac'>): string {
  return mac(key, `gap\n${chain}\n${firstN}\n${lastN}\n${lastMac}`);
}

/** The id of the key that a mac was made with. */
export function keyIdOf(made: string): string {
  return made.slice(0, Math.max(0, made.lastIndexOf('.')));
}

function mac({ keyId, secret }: AuditKey, text: string): string {
  return `${keyId}.${createHmac('sha256', secret).update(text).digest('hex')}`;
}

/** Makes macs with the active key of the ring, and seals heads. */
export function chainSeals(vault: Pick<Vault, 'seal' | 'open' | 'auditKey'>): ChainSeals {
  return {
    entryMac: (record, place, before) => entryMac(vault.auditKey(), record, place, before),
    openingMac: (opening) => openingMac(vault.auditKey(), opening),
    seal: ({ chain, n, mac: head }) => vault.seal(JSON.stringify([n, head]), headIdentity(chain)),
    open: (chain, sealed) => {
      try {
        const [n, head] = JSON.parse(vault.open(sealed, headIdentity(chain)).toString()) as [number, string];
        return { chain, n, mac: head };
      } catch (error) {
        if (error instanceof SealBroken) return undefined;
        throw error;
      }
    },
  };
}

function headIdentity(chain: number): string {
  return `audit-head:${chain}`;
}

/**
 * Facts in the order of RFC 8785: names sorted by their UTF-16 code units. `JSON.stringify` then writes the one text of them:
 * no blanks, numbers and texts as ECMAScript writes them.
 */
function inOrder(facts: AuditRecord['detail']): AuditRecord['detail'] {
  const entries = Object.entries(facts);
  return entries.length < 2
    ? facts
    : Object.fromEntries(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
