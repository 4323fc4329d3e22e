import { shortenedAddress } from '../http/network.ts';
import { HourlyLease } from '../storage/hourly_lease.ts';
import { type Driver, type Write, when } from '../storage/statement.ts';
import { dropGaps, type Gap, keepGap, listAuditKeys } from '../storage/tables/audit_chains.ts';
import {
  type DoomedRow,
  dropEntries,
  dropUnchained,
  findExcess,
  findNotLookedAt,
  findOlder,
  findWithAddress,
  keepLookedUntil,
  LOOKED_AT_ONCE,
  listExcess,
  replaceAddress,
  type WithAddress,
} from '../storage/tables/audit_pruning.ts';
import { keepLease, leaveLease, takeLease } from '../storage/tables/leases.ts';
import { type Clock, MINUTE } from '../system/clock.ts';
import type { Vault } from '../vault/vault.ts';
import type { Audit } from './audit.ts';
import { AuditKeys } from './audit_keys.ts';
import { UNPROVEN_DEED, UNPROVEN_EVENTS, UNPROVEN_OWN_EVENTS } from './events.ts';
import { addressDigest, gapMac, keyIdOf, shortenedMac } from './macs.ts';

const LEASE = 'audit prune';
/** Taken and not given back: of all processes one prunes in an hour. */
const HOURLY = 'audit prune hourly';
/** One that dies leaves the rest to the next. */
const LEASE_MS = 5 * MINUTE;
/** How many entries that need no second factor are a flood. */
const FLOOD = 1000;
/** Rows that one unit of work changes. */
const BATCH = 500;
/**
 * How many entries of each event that needs no second factor are kept for each user. Where they become fewer, or there
 * are more such events, a migration sets `audit_prunings` back to 0: what was looked at is not looked at again.
 */
const UNPROVEN_KEPT = 200;

export interface PruneSettings {
  /** How long entries are kept, and how long their addresses whole. */
  readonly keepMs: number;
  readonly keepAddressesMs: number;
}

export interface Pruned {
  readonly removed: number;
  readonly shortened: number;
}

export interface PruningDeps {
  readonly storage: Pick<Driver, 'commit' | 'read'>;
  readonly vault: Vault;
  readonly clock: Clock;
  /** Names this process. */
  readonly holder: string;
  readonly settings: PruneSettings;
}

/** Removes what the audit need not keep, by one process at a time; what is left still verifies. */
export class Pruning {
  private readonly lease: HourlyLease;

  constructor(private readonly deps: PruningDeps) {
    this.lease = new HourlyLease(deps, HOURLY);
  }

  /** Prunes once an hour, and soon after a flood of entries that need no second factor. */
  async inTime(audit: Pick<Audit, 'hasHadUnproven'>): Promise<void> {
    if (audit.hasHadUnproven(FLOOD)) await this.prune();
    else await this.hourly();
  }

  /** Prunes if no process has done so in this hour. */
  async hourly(): Promise<void> {
    if (await this.lease.take()) await this.prune();
  }

  /** Undefined if another process is pruning. */
  async prune(): Promise<Pruned | undefined> {
    const { storage, holder, settings } = this.deps;
    if ((await storage.commit([], takeLease(LEASE, holder, LEASE_MS))) === undefined) return undefined;
    try {
      const excess = await this.removeExcess();
      const older = await this.remove(() => storage.read(findOlder(settings.keepMs, BATCH)));
      return { removed: excess + older, shortened: await this.shorten() };
    } finally {
      await storage.commit([], leaveLease(LEASE, holder, null));
    }
  }

  /** By parts, from where the last pruning ended. The last part is looked at again each time until it is full. */
  private async removeExcess(): Promise<number> {
    for (let removed = 0; ; ) {
      const [part] = await this.deps.storage.read(findNotLookedAt());
      removed += await this.remove(() => this.nextExcess());
      const { count, until } = part ?? { count: 0, until: null };
      if (until === null || count < LOOKED_AT_ONCE) return removed;
      if (!(await this.write([keepLookedUntil(until)]))) return removed;
    }
  }

  private async nextExcess(): Promise<readonly DoomedRow[]> {
    const { storage } = this.deps;
    const events = [...UNPROVEN_EVENTS, ...UNPROVEN_OWN_EVENTS];
    const doomed: DoomedRow[] = [];
    for (const excess of await storage.read(listExcess(events, UNPROVEN_DEED, UNPROVEN_KEPT))) {
      doomed.push(...(await storage.read(findExcess(excess, BATCH - doomed.length))));
      if (doomed.length === BATCH) return doomed;
    }
    return doomed;
  }

  private async remove(find: () => Promise<readonly DoomedRow[]>): Promise<number> {
    for (let removed = 0; ; ) {
      const doomed = await find();
      if (doomed.length === 0) return removed;
      if (!(await this.write(this.removing(doomed)))) return removed;
      removed += doomed.length;
    }
  }

  private removing(doomed: readonly DoomedRow[]): readonly Write[] {
    const key = this.deps.vault.auditKey();
    const unchained = doomed.filter(({ chain }) => chain === null).map(({ number }) => dropUnchained(number));
    return [
      ...unchained,
      ...gapsFor(doomed.filter(isChained)).flatMap((gap) => [
        dropEntries(gap),
        dropGaps(gap),
        keepGap({ ...gap, mac: gapMac(key, gap) }),
      ]),
    ];
  }

  private async shorten(): Promise<number> {
    const { storage, vault, settings } = this.deps;
    const keys = new AuditKeys(vault, await storage.read(listAuditKeys()));
    for (let shortened = 0; ; ) {
      const rows = await storage.read(findWithAddress(settings.keepAddressesMs, BATCH));
      if (rows.length === 0) return shortened;
      if (!(await this.write(rows.map((row) => shortening(row, keys, vault))))) return shortened;
      shortened += rows.length;
    }
  }

  /** Only while this process has the lease: what it has read is still so. */
  private async write(writes: readonly Write[]): Promise<boolean> {
    const { storage, holder } = this.deps;
    const unit = when(keepLease(LEASE, holder, LEASE_MS), { won: writes, lost: [] });
    return (await storage.commit([], unit)).won;
  }
}

function shortening(row: WithAddress, keys: AuditKeys, vault: Vault): Write {
  const network = shortenedAddress(row.address);
  const { number, chain, n, mac } = row;
  if (chain === null || n === null || mac === null) return replaceAddress(number, network, '', '');
  const digest = addressDigest(keys.keyOf(keyIdOf(mac)), row.address, { chain, n }) ?? '';
  return replaceAddress(
    number,
    network,
    digest,
    shortenedMac(vault.auditKey(), { chain, n }, network, digest),
  );
}

/** An entry of a chain. */
type ChainedRow = DoomedRow & Pick<Gap, 'chain'> & { readonly n: number; readonly mac: string };

function isChained(row: DoomedRow): row is ChainedRow {
  return row.chain !== null;
}

/** The gaps that are left where these entries are removed, in their order: those beside them become parts of them. */
function gapsFor(doomed: readonly ChainedRow[]): Omit<Gap, 'mac'>[] {
  const inOrder = doomed.toSorted((one, other) => one.chain - other.chain || one.n - other.n);
  const gaps: Omit<Gap, 'mac'>[] = [];
  for (const { chain, n, mac, gapBefore, gapBehind, macBehind } of inOrder) {
    const firstN = gapBefore ?? n;
    const end = { lastN: gapBehind ?? n, lastMac: macBehind ?? mac };
    const last = gaps.at(-1);
    // A gap between two of them stands beside both.
    if (last?.chain === chain && last.lastN >= firstN - 1) gaps[gaps.length - 1] = { ...last, ...end };
    else gaps.push({ chain, firstN, ...end });
  }
  return gaps;
}
