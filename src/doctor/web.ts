import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest, type RequestOptions } from 'node:https';
import { isIP } from 'node:net';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import { SECOND } from '../system/clock.ts';

/** One request; its target goes out as it is written here. */
export interface Question {
  readonly method?: string;
  readonly target: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Connect to this address instead of that of the URL's host. */
  readonly address?: string;
  readonly timeoutMs?: number;
}

/** What came back: an answer, or why none did. */
export type Reply =
  | {
      readonly answered: true;
      readonly status: number;
      readonly headers: IncomingMessage['headers'];
      /** The JSON object in the body; undefined if it is anything else. */
      readonly json: JsonObject | undefined;
    }
  | { readonly answered: false; readonly why: string };

const TIMEOUT_MS = 10 * SECOND;
/** More of an answer is not read. */
const LARGEST = 256 * 1024;
const CONNECTIONS = 8;

/**
 * Asks over HTTP as a client would, on raw targets. Redirects are not followed. Certificates are not verified here:
 * nothing that is secret is sent, and what is wrong with them is for the check `tls` to say.
 */
export class Web {
  private readonly agents = {
    'http:': new HttpAgent({ keepAlive: true, maxSockets: CONNECTIONS }),
    'https:': new HttpsAgent({ keepAlive: true, maxSockets: CONNECTIONS, rejectUnauthorized: false }),
  };

  /** @param origin scheme, host and port */
  ask(origin: string, question: Question): Promise<Reply> {
    const url = new URL(origin);
    const isTls = url.protocol === 'https:';
    const options = optionsFor(url, question);
    return new Promise((resolve) => {
      const asked = isTls
        ? httpsRequest({ ...options, agent: this.agents['https:'] })
        : httpRequest({ ...options, agent: this.agents['http:'] });
      const settle = (reply: Reply): void => {
        clearTimeout(deadline);
        resolve(reply);
      };
      const timeoutMs = question.timeoutMs ?? TIMEOUT_MS;
      const deadline = setTimeout(() => {
        settle({ answered: false, why: `no answer in ${timeoutMs / SECOND} s` });
        asked.destroy();
      }, timeoutMs);
      asked.once('error', (error) => settle({ answered: false, why: reasonOf(error) }));
      asked.once('response', (response) => {
        readAnswer(response).then(settle, (error) => settle({ answered: false, why: reasonOf(error) }));
      });
      asked.end();
    });
  }

  /**
   * Announces a body of so many bytes and sends none: a server that has a limit says so at once.
   * @returns the status of the answer; 100 if the body was asked for; undefined if nothing came
   */
  announceBody(origin: string, target: string, bytes: number): Promise<number | undefined> {
    const url = new URL(origin);
    const headers = { 'Content-Length': String(bytes), Expect: '100-continue' };
    const options = optionsFor(url, { method: 'POST', target, headers });
    return new Promise((resolve) => {
      const asked =
        url.protocol === 'https:'
          ? httpsRequest({ ...options, agent: false, rejectUnauthorized: false })
          : httpRequest({ ...options, agent: false });
      const settle = (status: number | undefined): void => {
        resolve(status);
        asked.destroy();
      };
      asked.setTimeout(TIMEOUT_MS, () => settle(undefined));
      asked.once('continue', () => settle(100));
      asked.once('response', ({ statusCode }) => settle(statusCode));
      asked.on('error', () => settle(undefined));
      asked.flushHeaders();
    });
  }

  close(): void {
    for (const agent of Object.values(this.agents)) agent.destroy();
  }
}

function optionsFor(url: URL, { method = 'GET', target, headers = {}, address }: Question): RequestOptions {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const bodyLength = method === 'GET' ? {} : { 'Content-Length': '0' };
  return {
    host: address ?? host,
    port: url.port === '' ? undefined : url.port,
    ...(url.protocol === 'https:' && isIP(host) === 0 ? { servername: host } : {}),
    method,
    path: target,
    headers: { Host: url.host, 'User-Agent': 'matrix-2fa-proxy doctor', ...bodyLength, ...headers },
  };
}

async function readAnswer(response: IncomingMessage): Promise<Reply> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LARGEST) break;
  }
  const { statusCode = 0, headers } = response;
  return {
    answered: true,
    status: statusCode,
    headers,
    json: objectIn(Buffer.concat(chunks).toString('utf8')),
  };
}

function objectIn(text: string): JsonObject | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isJsonObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** The code of a system error (`ECONNREFUSED`), else what it says. */
function reasonOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}

/** What came back, for people. */
export function replyInWords(reply: Reply): string {
  if (!reply.answered) return `no answer (${reply.why})`;
  return `${reply.status}${reply.json === undefined ? '' : ' with JSON'}`;
}

export function isSuccess(reply: Reply): boolean {
  return reply.answered && reply.status >= 200 && reply.status < 300;
}
