import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'undici';

/** Debian's place; `FIREFOX` names another. */
const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
/** The key of WebDriver for Enter (WebDriver, "Keyboard actions"). */
export const ENTER = '\uE007';
/** Longer than any page takes, on whatever machine. */
const STEP_MS = 120_000;
const LOOK_AGAIN_MS = 50;

/**
 * Whether there is a Firefox. Where there is none, one line says that `what` is skipped; with `CI=true` the tests run into
 * their failure instead.
 */
export function hasFirefox(what: string): boolean {
  if (existsSync(FIREFOX) || process.env.CI === 'true') return true;
  process.stdout.write(
    `${what}: skipped, because there is no Firefox at ${FIREFOX} (set FIREFOX to its path)\n`,
  );
  return false;
}

interface Answer {
  readonly id?: number;
  readonly type?: string;
  readonly result?: Record<string, unknown>;
  readonly message?: string;
}

/**
 * Firefox with one page, driven by WebDriver BiDi (https://www.w3.org/TR/webdriver-bidi/) as it comes from Debian: Playwright
 * needs a Firefox that was changed for it.
 */
export class Firefox {
  private next = 0;
  private context = '';
  private readonly waiting = new Map<number, (answer: Answer) => void>();

  private constructor(
    private readonly process: ChildProcess,
    private readonly profile: string,
    private readonly socket: WebSocket,
  ) {
    socket.addEventListener('message', ({ data }) => {
      const answer = JSON.parse(String(data)) as Answer;
      this.waiting.get(answer.id ?? -1)?.(answer);
    });
  }

  /** @throws Error if there is no Firefox */
  static async start(): Promise<Firefox> {
    const profile = mkdtempSync(join(tmpdir(), 'matrix-2fa-firefox-'));
    const args = ['--headless', '--no-remote', '--profile', profile, '--remote-debugging-port', '0'];
    const child = spawn(FIREFOX, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    const socket = new WebSocket(`${await addressIn(child)}/session`);
    await once(socket, 'open');
    const firefox = new Firefox(child, profile, socket);
    await firefox.send('session.new', { capabilities: {} });
    const { contexts } = (await firefox.send('browsingContext.getTree', {})) as {
      contexts: readonly { context: string }[];
    };
    firefox.context = contexts[0]?.context ?? '';
    return firefox;
  }

  async stop(): Promise<void> {
    const ended = once(this.process, 'exit');
    await this.send('browser.close', {}).catch(() => this.process.kill());
    await ended;
    rmSync(this.profile, { recursive: true, force: true, maxRetries: 5 });
  }

  async open(url: string): Promise<void> {
    await this.send('browsingContext.navigate', { context: this.context, url, wait: 'complete' });
  }

  /** What an expression in the page is worth, as text. */
  async read(expression: string): Promise<string> {
    const { result } = (await this.send('script.evaluate', {
      expression: `(async () => String(await (${expression})))()`,
      target: { context: this.context },
      awaitPromise: true,
    })) as { result?: { value?: string } };
    return result?.value ?? '';
  }

  /** Waits until the page shows this text. @throws Error with what it shows, where it does not come */
  async shows(text: string): Promise<void> {
    await this.until(text, `document.body?.innerText.includes(${JSON.stringify(text)})`);
  }

  /** Waits until an expression is true in the page. @throws Error with what it shows, where it does not come to that */
  private async until(what: string, expression: string): Promise<void> {
    const deadline = Date.now() + STEP_MS;
    while (Date.now() < deadline) {
      // Between two pages there is none to ask.
      if ((await this.read(expression).catch(() => '')) === 'true') return;
      await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    }
    throw new Error(`"${what}" is not there: ${await this.read('document.body?.innerText').catch(() => '')}`);
  }

  /** Puts the focus into a field as soon as it is there, and types. */
  async type(selector: string, text: string): Promise<void> {
    const field = `document.querySelector(${JSON.stringify(selector)})`;
    await this.until(selector, `(${field}?.focus(), document.activeElement === ${field})`);
    const actions = [...text].flatMap((value) => [
      { type: 'keyDown', value },
      { type: 'keyUp', value },
    ]);
    await this.send('input.performActions', {
      context: this.context,
      actions: [{ type: 'key', id: 'keyboard', actions }],
    });
  }

  /** Clicks a button as soon as it is there. */
  async press(button: string): Promise<void> {
    const named = JSON.stringify(button);
    const found = `[...document.querySelectorAll('button')].find((each) => each.innerText === ${named})`;
    await this.until(button, `${found} !== undefined`);
    await this.read(`${found}.click()`);
  }

  private send(method: string, params: object): Promise<Record<string, unknown>> {
    const id = ++this.next;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, ({ type, result = {}, message }) => {
        this.waiting.delete(id);
        if (type === 'error') reject(new Error(`${method}: ${message}`));
        else resolve(result);
      });
      this.socket.send(JSON.stringify({ id, method, params }));
    });
  }
}

async function addressIn(child: ChildProcess): Promise<string> {
  if (child.stderr === null) throw new Error('Firefox has no output');
  for await (const line of createInterface(child.stderr)) {
    const address = /WebDriver BiDi listening on (ws:\/\/\S+)/.exec(line)?.[1];
    if (address !== undefined) {
      child.stderr.resume();
      return address;
    }
  }
  throw new Error('Firefox has ended');
}
