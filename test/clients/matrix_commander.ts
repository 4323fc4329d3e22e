import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type ClientRun, runProgram } from './run_client.ts';

const POLL_MS = 50;
const LONGEST_WAIT_MS = 20_000;

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

  /** The address that it opens in a browser, as soon as it does. */
  async openedAddress(): Promise<URL> {
    const deadline = Date.now() + LONGEST_WAIT_MS;
    while (!existsSync(join(this.home, 'address'))) {
      if (Date.now() > deadline) throw new Error('no browser was opened');
      await delay(POLL_MS);
    }
    return new URL(readFileSync(join(this.home, 'address'), 'utf8'));
  }

  remove(): void {
    rmSync(this.home, { recursive: true, force: true });
  }
}
