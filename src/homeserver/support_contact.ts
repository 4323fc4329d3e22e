import { parseUserId } from '../matrix/user_id.ts';
import { isJsonObject, type Json } from '../matrix/wire.ts';
import { HOUR, SECOND } from '../system/clock.ts';
import type { Log } from '../system/log.ts';
import { Agent, request } from '../system/undici.ts';

/** Where homeservers say who their support is. */
export const SUPPORT_DOCUMENT = '/.well-known/matrix/support';
const LARGEST_DOCUMENT = 64 * 1024;
const PATIENCE_MS = 5 * SECOND;
const LONGEST_ADDRESS = 254;
const ADMINISTRATOR = 'm.role.admin';
const MAIL_ADDRESS = /^[A-Za-z0-9_.+-]+@[A-Za-z0-9.-]+$/;

/** Whom a homeserver names as its support: an `https:` or `mailto:` address, or a user id. */
export type NamedSupport = { readonly href: string } | { readonly userId: string };

/**
 * Whom the homeserver names as its support (client-server API, "Homeserver Support Discovery"). It is asked from time to
 * time; while it does not answer, what it said last stays.
 */
export class SupportContact {
  private named: NamedSupport | undefined;
  private timer: NodeJS.Timeout | undefined;

  /** @param url the homeserver's origin */
  constructor(
    private readonly url: string,
    private readonly log: Log,
  ) {}

  /** What it said last. */
  current(): NamedSupport | undefined {
    return this.named;
  }

  /** Asks now and every hour. */
  start(): void {
    this.timer = setInterval(() => this.askQuietly(), HOUR);
    this.timer.unref();
    this.askQuietly();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private askQuietly(): void {
    this.ask().catch(() => undefined);
  }

  async ask(): Promise<void> {
    const connections = new Agent();
    try {
      this.named = await askSupport(this.url, connections);
    } catch (error) {
      this.log.debug({ err: error }, 'The homeserver did not say who its support is');
    } finally {
      await connections.destroy();
    }
  }
}

/** Whom a homeserver names; undefined if no one. Rejects if it does not answer. */
async function askSupport(url: string, connections: Agent): Promise<NamedSupport | undefined> {
  // Redirects are not followed: the document of another server says nothing of this one.
  const { statusCode, body } = await request(connections, `${url}${SUPPORT_DOCUMENT}`, {
    method: 'GET',
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    size += part.length;
    if (size > LARGEST_DOCUMENT) throw new Error(`${SUPPORT_DOCUMENT} is larger than 64 KiB`);
    parts.push(part);
  }
  if (statusCode >= 500) throw new Error(`${SUPPORT_DOCUMENT}: ${statusCode}`);
  return statusCode === 200 ? supportIn(JSON.parse(Buffer.concat(parts).toString('utf8'))) : undefined;
}

/** The page of the support, else the first administrator who can be reached. */
export function supportIn(document: Json): NamedSupport | undefined {
  if (!isJsonObject(document)) return undefined;
  const { support_page: page, contacts } = document;
  if (typeof page === 'string' && URL.canParse(page)) {
    const { protocol, username, password, href } = new URL(page);
    if (protocol === 'https:' && username === '' && password === '') return { href };
  }
  const listed = Array.isArray(contacts) ? contacts : [];
  return listed.map(administratorIn).find((named) => named !== undefined);
}

function administratorIn(contact: Json): NamedSupport | undefined {
  if (!isJsonObject(contact) || contact.role !== ADMINISTRATOR) return undefined;
  const { email_address: mail, matrix_id: userId } = contact;
  if (isAddress(mail) && MAIL_ADDRESS.test(mail)) return { href: `mailto:${mail}` };
  return isAddress(userId) && parseUserId(userId) !== undefined ? { userId } : undefined;
}

function isAddress(value: Json | undefined): value is string {
  return typeof value === 'string' && value.length <= LONGEST_ADDRESS;
}
