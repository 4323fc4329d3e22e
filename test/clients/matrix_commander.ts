import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { withDirectoryLock } from '../../tools/directory_lock.ts';
import { isFree } from '../../tools/free_port.ts';
import { type ClientRun, runProgram } from './run_client.ts';

const POLL_MS = 50;
const LONGEST_WAIT_MS = 180_000;

/** Where it waits for the browser to come back. It knows no other port: two runs of these tests must take turns. */
const BACK_PORT = 38080;

/** Leaves the address that a program wanted to have opened in a file, for the test to go there. */
const BROWSER = '#!/bin/sh\nprintf %s "$1" > "$HOME/address.part"\nmv "$HOME/address.part" "$HOME/address"\n';

/** The command-line client with a home folder and a "browser" of its own. */
export class MatrixCommander {
  readonly home = mkdtempSync(join(tmpdir(), 'matrix-commander-'));

  constructor(private readonly program: string) {
    writeFileSync(join(this.home, 'xdg-open'), BROWSER, { mode: 0o755 });
  }

  run(...parameters: string[]): Promise<ClientRun> {
    const store = ['--credentials', join(this.home, 'credentials.json'), '--store', join(this.home, 'store')];
    const environment = {
      HOME: this.home,
      PATH: `${this.home}${delimiter}${process.env.PATH}`,
      PYTHONDONTWRITEBYTECODE: '1',
    };
    return runProgram(this.program, [...store, ...parameters], environment);
  }

  /** What it keeps after a login. */
  credentials(): Record<string, string> {
    return JSON.parse(readFileSync(join(this.home, 'credentials.json'), 'utf8'));
  }

  /**
   * Logs in by single sign-on.
   *
   * @param browse what the person does in the browser that is opened
   */
  loginInBrowser(browse: (opened: URL) => Promise<void>, ...parameters: string[]): Promise<ClientRun> {
    const turn = join(tmpdir(), `matrix-commander-on-${BACK_PORT}`);
    return withDirectoryLock(turn, { timeoutMs: LONGEST_WAIT_MS }, async () => {
      await untilFree(BACK_PORT);
      const login = this.run('--login', 'sso', ...parameters);
      await browse(await this.openedAddress(login));
      return login;
    });
  }

  /** The address that it opens in a browser, as soon as it does. */
  private async openedAddress(login: Promise<ClientRun>): Promise<URL> {
    let ended: ClientRun | undefined;
    void login.then((run) => {
      ended = run;
    });
    const deadline = Date.now() + LONGEST_WAIT_MS;
    while (!existsSync(join(this.home, 'address'))) {
      if (ended !== undefined) throw new Error(`it ended before it opened a browser: ${ended.stderr}`);
      if (Date.now() > deadline) throw new Error('no browser was opened');
      await delay(POLL_MS);
    }
    return new URL(readFileSync(join(this.home, 'address'), 'utf8'));
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}

/** The port is one of those that the system gives to any outgoing connection, so it may be taken for a while. */
async function untilFree(port: number): Promise<void> {
  const deadline = Date.now() + LONGEST_WAIT_MS;
  while (!(await isFree(port))) {
    if (Date.now() > deadline) throw new Error(`port ${port}, which matrix-commander needs, is in use`);
    await delay(POLL_MS);
  }
}
