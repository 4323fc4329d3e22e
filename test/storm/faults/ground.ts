import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDatabase } from '../../../src/storage/sqlite/sqlite_library.ts';
import { OwnPostgres } from '../../support/own_postgres.ts';
import { connected } from '../../support/postgres.ts';
import { type SmallDisk, smallDisk } from '../../support/small_disk.ts';

const DISK = '96m';
const BLOCK = Buffer.alloc(64 * 1024, 0x55);
const SOCKET = '.s.PGSQL.5432';

/** A fault of the database: it begins, and `heal` ends it. */
export type Strike = () => Promise<() => Promise<void> | void>;

/** The database of a storm, and what can happen to it. */
export interface Ground {
  /** The `storage` section for `serve`, in YAML. */
  readonly section: string;
  /** The same past what stands between `serve` and the database. */
  readonly directSection: string;
  readonly faults: Readonly<Record<string, Strike>>;
  remove(): Promise<void>;
}

/** A file on a disk of its own, which can be full; where this process may not mount, on the disk of the machine. */
export function sqliteGround(): Ground {
  const disk = smallDisk(DISK);
  const folder = disk?.folder ?? mkdtempSync(join(tmpdir(), 'storm-'));
  const path = join(folder, '2fa.db');
  const section = `{ type: sqlite, path: ${path} }`;
  return {
    section,
    directSection: section,
    faults: { 'database locked': locked(path), ...(disk && { 'disk full': full(disk) }) },
    remove: async () => {
      if (disk === undefined) rmSync(folder, { recursive: true, force: true });
      else disk.remove();
    },
  };
}

/** Another program writes into the database, and takes its time. */
function locked(path: string): Strike {
  return async () => {
    const other = openDatabase(path);
    other.pragma('busy_timeout = 10000');
    other.exec('BEGIN IMMEDIATE');
    return () => {
      other.exec('ROLLBACK');
      other.close();
    };
  };
}

/** Something else on the disk grows until nothing is left. */
function full({ folder }: SmallDisk): Strike {
  return async () => {
    const ballast = join(folder, 'ballast');
    const file = openSync(ballast, 'w');
    try {
      for (;;) writeSync(file, BLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    } finally {
      closeSync(file);
    }
    return () => rmSync(ballast);
  };
}

/** A PostgreSQL of its own behind a line that can be cut. */
export async function postgresGround(programs: string): Promise<Ground> {
  const own = await OwnPostgres.start(programs);
  const url = new URL(own.url);
  const folder = mkdtempSync(join(tmpdir(), 'storm-line-'));
  const line = new Line(join(url.searchParams.get('host') ?? '', SOCKET), join(folder, SOCKET));
  await line.join();
  url.searchParams.set('host', folder);
  const section = (at: string) => `{ type: postgres, url: "${at}", tls: disable }`;
  return {
    section: section(url.href),
    directSection: section(own.url),
    faults: {
      'database restarted': async () => {
        await own.crash();
        return () => own.run();
      },
      'network cut': async () => {
        line.cut();
        return () => line.join();
      },
      'network silent': async () => {
        line.silence();
        return () => line.cut().join();
      },
      'table locked': () => lockedTable(own.url),
    },
    remove: async () => {
      line.cut();
      await own.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Somebody holds a lock on a table that every sign-in writes. */
async function lockedTable(url: string): Promise<() => Promise<void>> {
  let release = (): void => undefined;
  let holds = (): void => undefined;
  const held = new Promise<void>((resolve) => {
    holds = resolve;
  });
  const ended = connected({ connectionString: url }, async (client) => {
    await client.query('BEGIN; LOCK TABLE holds IN ACCESS EXCLUSIVE MODE');
    holds();
    await new Promise<void>((resolve) => {
      release = resolve;
    });
    await client.query('ROLLBACK');
  });
  await Promise.race([held, ended]);
  return async () => {
    release();
    await ended;
  };
}

/** What passes bytes between two sockets, until it is cut or falls silent. */
class Line {
  private server: Server | undefined;
  private readonly ends = new Set<Socket>();

  constructor(
    private readonly to: string,
    private readonly at: string,
  ) {}

  async join(): Promise<void> {
    const server = createServer((near) => {
      const far = connect(this.to);
      this.keep(near, far);
      this.keep(far, near);
      near.pipe(far).pipe(near);
    });
    this.server = server;
    await new Promise<void>((resolve) => server.listen({ path: this.at }, resolve));
  }

  /** Both ends hear that it is over, and nobody gets through. */
  cut(): this {
    this.server?.close();
    rmSync(this.at, { force: true });
    for (const end of this.ends) end.destroy();
    return this;
  }

  /** Nothing comes through any more, and nobody hears of it; new connections are taken and get no answer. */
  silence(): void {
    for (const end of this.ends) {
      end.unpipe();
      end.pause();
    }
    this.server?.removeAllListeners('connection');
    this.server?.on('connection', (near: Socket) => this.keep(near, near));
  }

  private keep(end: Socket, other: Socket): void {
    this.ends.add(end);
    end.on('error', () => other.destroy());
    end.on('close', () => {
      this.ends.delete(end);
      other.destroy();
    });
  }
}
