import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface, type Interface } from 'node:readline';
import { isJsonObject, type JsonObject } from '../../src/matrix/wire.ts';

const LONGEST_ANSWER_MS = 180_000;

/**
 * A client in a process of its own that lives for a whole session: `tools/clients/rust_sdk`, or one of the drivers whose
 * name begins with `oauth_js_sdk`.
 */
export class TalkingClient {
  readonly #child: ChildProcess;
  readonly #answers: Interface;
  #stderr = '';

  constructor(program: string, parameters: readonly string[], homeserver: string) {
    const child = spawn(program, parameters, {
      stdio: ['pipe', 'pipe', 'pipe'],
      // The certificate of a test is signed by no one.
      env: { ...process.env, NODE_TLS_REJECT_UNAUTHORIZED: '0' },
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr += text;
    });
    child.stdin.write(`${homeserver}\n`);
    this.#answers = createInterface({ input: child.stdout });
    this.#child = child;
  }

  /** What came of a wish. @throws Error with the client's own words where it failed */
  async wish(what: string, more: JsonObject = {}): Promise<JsonObject> {
    const answered = once(this.#answers, 'line', { signal: AbortSignal.timeout(LONGEST_ANSWER_MS) });
    this.#child.stdin?.write(`${JSON.stringify({ do: what, ...more })}\n`);
    const ended = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`the client ended with ${code}: ${this.#stderr}`);
    });
    const [line]: unknown[] = await Promise.race([answered, ended]);
    const answer: unknown = JSON.parse(String(line));
    if (!isJsonObject(answer)) throw new Error(`the client said ${String(line)}`);
    if (answer.failed !== undefined) throw new Error(`${what}: ${String(answer.failed)}`);
    return answer;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.stdin?.end();
    await gone;
  }
}
