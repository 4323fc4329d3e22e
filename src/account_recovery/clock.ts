import type { Audit } from '../audit/audit.ts';
import type { AccountRecoveryConfig } from '../config/config.ts';
import { type Decision, when } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import type { SeenRecovery } from '../storage/tables/recovery_requests.ts';
import {
  countTime,
  dropAddressesOfEnded,
  dropOldRecoveries,
  expireRecovery,
  listPointless,
  nextRunning,
  openRecovery,
  takeRepeated,
  takeToldSoon,
  takeUseTold,
} from '../storage/tables/recovery_rounds.ts';
import { HOUR, MINUTE, type Ticks } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import type { RecoveryEndings } from './endings.ts';
import type { CalendarOf } from './frozen_calendar.ts';
import type { PublicNotice } from './public_notice.ts';
import type { Occasion, RecoveryTelling } from './seams.ts';
import type { SessionUse } from './session_use.ts';

const DAY = 24 * HOUR;
/** How often the clocks of requests are looked at. */
const ROUND_MS = MINUTE;
/** What the first round of a process counts at most: what went by before it no process has measured. */
const FIRST_STEP_MS = MINUTE;
const AT_ONCE = 100;
/** How long requests are kept that have ended: longer than what they are counted for. */
const KEPT_MS = 400 * DAY;
/** Longer than a message about its end may take. */
const ADDRESS_KEPT_MS = 30 * DAY;
/** How often the homeserver is asked at most whether a device is used: a wait takes days. */
const USE_EVERY_MS = HOUR;

/** What a process has lived since its last round. */
interface Lived {
  readonly ms: number;
  /** The process has just begun to measure. */
  readonly isFirst: boolean;
}

export interface RecoveryClockDeps {
  readonly storage: Pick<Storage, 'commit' | 'read'>;
  readonly audit: Audit;
  readonly telling: Pick<RecoveryTelling, 'tell'>;
  readonly endings: RecoveryEndings;
  /** What is asked of the homeserver, and told to it. */
  readonly upstream: { readonly sessionUse: SessionUse; readonly publicNotice: PublicNotice };
  readonly settings: AccountRecoveryConfig;
  /** What a process has lived: no change of a clock moves it. */
  readonly time: { readonly ticks: Ticks; readonly calendarOf: CalendarOf; readonly log: Log };
}

/**
 * The clock of all requests. The time that each has waited stands in the store. A round adds what went by since the last
 * one, by the store's clock, and never more than this process has measured itself less what others have counted
 * meanwhile: a clock that jumps ahead ends no wait early, and neither do a restart and processes whose clocks differ. Of
 * two processes that count the same time one wins.
 */
export class RecoveryClock {
  private last: Promise<void> = Promise.resolve();
  /** What asks the homeserver. It has a minute for each question, and no request's time waits for that. */
  private asking: Promise<void> | undefined;
  private roundAt: number | undefined;
  /** What was counted of each request when this process looked last. */
  private readonly seenMs = new Map<string, number>();
  private usesAskedAt: number | undefined;

  constructor(private readonly deps: RecoveryClockDeps) {}

  /** Does what is due, once a minute: counts, tells, opens, ends. Each round goes before the next. */
  async round(): Promise<void> {
    const begun = this.last.catch(() => undefined).then(() => this.begin());
    this.last = begun;
    await begun;
    await this.asking;
  }

  /** Resolves once no round is under way. */
  async settled(): Promise<void> {
    await this.last.catch(() => undefined);
    await this.asking;
  }

  private async begin(): Promise<void> {
    const { settings, time, storage } = this.deps;
    if (!settings.enabled) return;
    // The store counts in whole ms.
    const ticks = Math.floor(time.ticks());
    const lived: Lived =
      this.roundAt === undefined
        ? { ms: FIRST_STEP_MS, isFirst: true }
        : { ms: ticks - this.roundAt, isFirst: false };
    if (lived.ms < ROUND_MS) return;
    this.roundAt = ticks;
    await this.endPointless();
    const looked = new Set<string>();
    for await (const request of this.running()) {
      looked.add(request.id);
      await this.lookAt(request, lived);
    }
    for (const id of this.seenMs.keys()) if (!looked.has(id)) this.seenMs.delete(id);
    this.askHourly(ticks);
    await storage.commit([], [dropOldRecoveries(KEPT_MS), dropAddressesOfEnded(ADDRESS_KEPT_MS)]);
  }

  private async *running(): AsyncGenerator<SeenRecovery> {
    for (let after: string | undefined = ''; after !== undefined; ) {
      const some: readonly SeenRecovery[] = await this.deps.storage.read(nextRunning(after, AT_ONCE));
      yield* some;
      after = some.at(-1)?.id;
    }
  }

  private askHourly(ticks: number): void {
    if (this.asking !== undefined) return;
    if (this.usesAskedAt !== undefined && ticks - this.usesAskedAt < USE_EVERY_MS) return;
    this.usesAskedAt = ticks;
    const { log } = this.deps.time;
    this.asking = this.askHomeserver()
      .catch((error) =>
        log.warn({ err: error }, 'the homeserver could not be asked about recoveries; trying again'),
      )
      .finally(() => {
        this.asking = undefined;
      });
  }

  private async askHomeserver(): Promise<void> {
    for await (const request of this.running()) await this.tellUse(request);
    await this.deps.upstream.publicNotice.round();
  }

  /** However the last factor was removed: an old request must not replace a factor that is set up later. */
  private async endPointless(): Promise<void> {
    const { storage, endings } = this.deps;
    for (const request of await storage.read(listPointless())) {
      await endings.cancel(request, { by: 'turned_off' });
    }
  }

  private async lookAt(request: SeenRecovery, lived: Lived): Promise<void> {
    if (request.state === 'open') return this.expire(request);
    const { storage, time } = this.deps;
    const passedMs = Math.min(Math.max(0, request.now - request.countedAt), this.uncountedOf(request, lived));
    const stepMs = time.calendarOf(request).countedMs(request.now - passedMs, request.now);
    const countedMs = request.countedMs + stepMs;
    this.seenMs.set(request.id, countedMs);
    const counted = await storage.commit([request.userId], countTime(request, stepMs));
    if (counted === undefined) return;
    if (countedMs >= request.waitMs) return this.open(request);
    await this.tellAgain(request, countedMs);
  }

  /** What of the time since its last round no other process can have counted. */
  private uncountedOf({ id, countedMs }: SeenRecovery, { ms, isFirst }: Lived): number {
    // A request that it has not seen was begun since, unless the process itself has just begun.
    const seenMs = this.seenMs.get(id) ?? (isFirst ? countedMs : 0);
    return Math.max(0, ms - Math.max(0, countedMs - seenMs));
  }

  private async expire({ id, userId, closesAt, now }: SeenRecovery): Promise<void> {
    if (closesAt === null || closesAt > now) return;
    const { storage, audit, telling } = this.deps;
    const recorded = audit.recorded({ userId, event: 'recovery_request.expired', detail: { request: id } });
    const won = [recorded, telling.tell({ id, userId }, 'ended')];
    await storage.commit([userId], when(expireRecovery(id), { won, lost: [] }));
  }

  /**
   * Where the homeserver does not say whether a device was used, and a use would end the request, it goes on waiting.
   */
  private async open(request: SeenRecovery): Promise<void> {
    const { storage, audit, telling, settings, upstream, endings } = this.deps;
    const { id, userId } = request;
    const use = await upstream.sessionUse.since(request);
    if (settings.onSessionUse === 'cancel') {
      if (use === 'unknown') return;
      if (use === 'used') {
        await endings.cancel(request, { by: 'session_use' });
        return;
      }
    }
    const detail = { request: id, ...(use === 'unknown' ? {} : { devices_used: use === 'used' }) };
    const recorded = audit.recorded({ userId, event: 'recovery_request.opened', detail });
    const won = [recorded, telling.tell(request, 'opened')];
    await storage.commit([userId], when(openRecovery(id, settings.claimWindowMs), { won, lost: [] }));
  }

  private async tellAgain(request: SeenRecovery, countedMs: number): Promise<void> {
    const { settings, time } = this.deps;
    const { now, waitMs, toldAt, toldSoonAt } = request;
    const opensTs = time.calendarOf(request).opensTs(now, waitMs - countedMs);
    // One that waits no longer than that was told at its beginning.
    if (toldSoonAt === null && waitMs > DAY && opensTs - now <= DAY) {
      return this.told(request, 'tomorrow', takeToldSoon(request.id));
    }
    if (now - toldAt >= settings.noticeEveryMs) return this.told(request, 'repeated', takeRepeated(request));
  }

  /** With `cancel` a use ends the request when it would open, and its owner is told then. */
  private async tellUse(request: SeenRecovery): Promise<void> {
    const { settings, upstream } = this.deps;
    if (request.state !== 'waiting' || request.useToldAt !== null || settings.onSessionUse === 'cancel')
      return;
    if ((await upstream.sessionUse.since(request)) !== 'used') return;
    await this.told(request, 'used', takeUseTold(request.id));
  }

  private async told(request: SeenRecovery, occasion: Occasion, taken: Decision<object>): Promise<void> {
    const { storage, audit, telling } = this.deps;
    const { id, userId } = request;
    const detail = { request: id, occasion };
    const recorded = audit.recorded({ userId, event: 'recovery_request.told', detail });
    const won = [recorded, telling.tell(request, occasion)];
    await storage.commit([userId], when(taken, { won, lost: [] }));
  }
}
