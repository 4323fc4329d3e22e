import { ask, type Driver, type Effect, effect, type Query } from '../statement.ts';

/** A process that has not been seen for so long is dead, in ms. */
const DEAD_AFTER = 30_000;
/** A process that has not been seen for so long may soon count as dead: it announces itself before it relies on it. */
const STALE_AFTER = DEAD_AFTER / 2;

/**
 * In SQL, whether a time is within this of now, on either side: one further in the future was written while a clock
 * was wrong.
 */
const within = (ms: number) => `seen_at > :now - ${ms} AND seen_at < :now + ${ms}`;

/** What a process says of itself. */
export interface ProcessDescription {
  /** The name of its machine. */
  readonly host: string;
  readonly version: string;
  /** The ids of the keys that it has, sorted, with a blank between them. */
  readonly keyIds: string;
  /** The id of the key that it seals with now. */
  readonly sealingKey: string;
  /** The digest of the settings that must be the same in all processes. */
  readonly settingsDigest: string;
}

export interface LiveProcess extends ProcessDescription {
  readonly id: string;
}

/** Notes that this process is there, and drops those that are not. */
export function announceProcess(id: string, description: ProcessDescription): readonly Effect[] {
  return [
    effect(
      `INSERT INTO processes (id, seen_at, host, version, key_ids, sealing_key, settings_digest)
       VALUES (:id, :now, :host, :version, :keyIds, :sealingKey, :settingsDigest)
       ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at, host = excluded.host,
         version = excluded.version, key_ids = excluded.key_ids, sealing_key = excluded.sealing_key,
         settings_digest = excluded.settings_digest`,
      { id, ...description },
    ),
    effect(`DELETE FROM processes WHERE NOT (${within(DEAD_AFTER)})`),
  ];
}

/** A process ends. */
export function dropProcess(id: string): Effect {
  return effect('DELETE FROM processes WHERE id = :id', { id });
}

/** Which processes are there: `announced` is 1 if the others see this one, `others` 1 if there are any. */
export function findProcesses(id: string): Query<{ readonly announced: number; readonly others: number }> {
  return ask(
    `SELECT
       CASE WHEN EXISTS (SELECT 1 FROM processes WHERE id = :id AND ${within(STALE_AFTER)}) THEN 1 ELSE 0 END AS announced,
       CASE WHEN EXISTS (SELECT 1 FROM processes WHERE id <> :id AND ${within(DEAD_AFTER)}) THEN 1 ELSE 0 END AS others`,
    { id },
  );
}

/** All that are there now. */
export function listProcesses(): Query<LiveProcess> {
  return ask(
    `SELECT id, host, version, key_ids AS "keyIds", sealing_key AS "sealingKey",
       settings_digest AS "settingsDigest"
     FROM processes WHERE ${within(DEAD_AFTER)} ORDER BY host, id`,
  );
}

/** How many serve, or did until they were killed half a minute ago at most. */
export function countLiveProcesses(): Query<{ readonly count: number }> {
  return ask(`SELECT count(*) AS count FROM processes WHERE ${within(DEAD_AFTER)}`);
}

/**
 * The processes that serve on one database. What they would share in the store costs a commit each time; while there
 * is one process only, it keeps that to itself.
 *
 * Of two processes at least one sees the other: each has its own row written before it looks for others, and looks
 * each time. One that was stopped for so long that the others count it as dead writes its row again first. One that
 * was killed counts as alive for half a minute, which costs commits and nothing else.
 */
export class LiveProcesses {
  constructor(
    private readonly driver: Pick<Driver, 'commit' | 'read'>,
    /** Names this process. */
    readonly id: string,
    /** What it says of itself now: keys may be added while it runs. */
    private readonly describe: () => ProcessDescription,
  ) {}

  /** Notes that this process is there. @throws StoreUnavailable */
  async announce(): Promise<void> {
    await this.driver.commit([], announceProcess(this.id, this.describe()));
  }

  /**
   * Whether no other process serves. One that starts later does not see what this one began before: equal sign-ins
   * may then make one login more (docs/operate.md).
   * @throws StoreUnavailable
   */
  async isAlone(): Promise<boolean> {
    const [found] = await this.driver.read(findProcesses(this.id));
    if (found?.announced === 1) return found.others === 0;
    await this.announce();
    const [then] = await this.driver.read(findProcesses(this.id));
    return then?.others === 0;
  }

  /** Notes that this process ends. @throws StoreUnavailable */
  async leave(): Promise<void> {
    await this.driver.commit([], dropProcess(this.id));
  }
}
