/**
 * A PostgreSQL of a test's own, which may crash, be full, or have a standby:
 *
 *     const own = await OwnPostgres.start(programs);
 *     await own.crash();              pg_ctl stop -m immediate
 *     await own.run();                again
 *     const standby = await own.standby();
 *     await own.remove();
 */
import { execFile } from 'node:child_process';
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { initDatabases, runServer, unprivilegedUser } from './postgres.ts';

const execute = promisify(execFile);

export class OwnPostgres {
  private constructor(
    private readonly programs: string,
    private readonly folder: string,
    private readonly settings: readonly string[],
  ) {}

  /** @param settings of the server: `max_connections=10` */
  static async start(programs: string, settings: readonly string[] = []): Promise<OwnPostgres> {
    const own = new OwnPostgres(programs, newFolder(), settings);
    initDatabases(programs, own.data);
    await own.run();
    return own;
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  /** The URL of its one database. */
  get url(): string {
    return `postgres://tests@localhost/postgres?host=${encodeURIComponent(this.folder)}`;
  }

  run(): Promise<void> {
    return runServer(this.programs, { data: this.data, socketFolder: this.folder, settings: this.settings });
  }

  /** It has no chance to do anything more, and its memory is lost. */
  async crash(): Promise<void> {
    await this.control('stop', '-m', 'immediate');
  }

  /** A hot standby of it, which runs. */
  async standby(): Promise<OwnPostgres> {
    const standby = new OwnPostgres(this.programs, newFolder(), this.settings);
    const from = ['--host', this.folder, '--username', 'tests', '--pgdata', standby.data];
    await this.execute('pg_basebackup', ...from, '--write-recovery-conf', '--checkpoint=fast', '--no-sync');
    await standby.run();
    return standby;
  }

  async promote(): Promise<void> {
    await this.control('promote');
  }

  async remove(): Promise<void> {
    await this.crash().catch(() => undefined);
    rmSync(this.folder, { recursive: true, force: true });
  }

  private control(...words: readonly string[]): Promise<unknown> {
    return this.execute('pg_ctl', ...words, '-w', '-s', '-D', this.data);
  }

  private execute(program: string, ...words: readonly string[]): Promise<unknown> {
    return execute(join(this.programs, program), words, { ...unprivilegedUser(), cwd: this.folder });
  }
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'own-postgres-'));
  const user = unprivilegedUser();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  return folder;
}
