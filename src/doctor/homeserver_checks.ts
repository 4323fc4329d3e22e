import { HomeserverClient } from '../homeserver/homeserver_client.ts';
import { SUPPORT_DOCUMENT, supportIn } from '../homeserver/support_contact.ts';
import { isJsonObject, type JsonObject, PASSWORD_STAGE } from '../matrix/wire.ts';
import { SECOND } from '../system/clock.ts';
import { silentLog } from '../system/log.ts';
import { type Finding, fail, type InsideCheck, ok, skipped, warn } from './check.ts';
import { endOfOAuth, OAUTH_METADATA, offersPassword } from './homeserver_logins.ts';
import type { Installation } from './installation.ts';
import { isSuccess, type Reply, replyInWords } from './web.ts';

const VERSIONS = '/_matrix/client/versions';
const LOGIN = '/_matrix/client/v3/login';
const NO_ANSWER = 'the homeserver does not answer (see homeserver)';

export const homeserverCheck: InsideCheck = {
  id: 'homeserver',
  about: 'the homeserver answers',
  outside: false,
  run: async (installation) => {
    const { url } = installation.config.homeserver;
    const reply = await installation.homeserver(VERSIONS);
    const tried = [`GET ${url}${VERSIONS}`];
    const fix = 'start the homeserver, or correct homeserver.url';
    if (!(await installation.homeserverAnswers())) return fail(tried, `${url}: ${replyInWords(reply)}`, fix);
    if (!reply.answered || !Array.isArray(reply.json?.versions))
      return fail(tried, `${url} answers ${replyInWords(reply)}, not as a homeserver does`, fix);
    const distrust = await whyNotTrusted(installation);
    if (distrust === undefined) return ok(tried, `${url} answers`);
    return fail(
      tried,
      `${url}: serve does not trust its certificate: ${distrust}`,
      'give it a certificate for that name from an authority that serve trusts (NODE_EXTRA_CA_CERTS), or correct homeserver.url',
    );
  },
};

/** `serve` asks with certificates verified. Why it gets no answer then; undefined: it does. */
async function whyNotTrusted({ config, parts: { random } }: Installation): Promise<string | undefined> {
  const { url } = config.homeserver;
  if (!url.startsWith('https:')) return undefined;
  const homeserver = new HomeserverClient({ url, random, log: silentLog });
  try {
    await homeserver.check();
    return undefined;
  } catch (error) {
    const { cause, message } = error as Error & { readonly cause?: { readonly code?: unknown } };
    return typeof cause?.code === 'string' ? cause.code : message;
  } finally {
    await homeserver.close();
  }
}

export const passwordLoginCheck: InsideCheck = {
  id: 'password-login',
  about: 'the homeserver takes passwords',
  outside: false,
  run: async (installation) => {
    if (!(await installation.homeserverAnswers())) return skipped(NO_ANSWER);
    const tried = [`GET ${installation.config.homeserver.url}${LOGIN}`];
    if (await takesPasswords(installation)) return ok(tried, `it offers ${PASSWORD_STAGE}`);
    if ((await metadata(installation)) !== undefined) {
      return skipped("the homeserver's own OAuth has taken the place of passwords (see native-oauth)");
    }
    return fail(
      tried,
      `the homeserver does not offer ${PASSWORD_STAGE}: no user can prove a password here`,
      'turn password login on in the homeserver (Synapse: password_config.enabled: true)',
    );
  },
};

export const nativeOauthCheck: InsideCheck = {
  id: 'native-oauth',
  about: 'the homeserver has no OAuth login of its own',
  outside: false,
  run: async (installation) => {
    if (!(await installation.homeserverAnswers())) return skipped(NO_ANSWER);
    const tried = OAUTH_METADATA.map((target) => `GET ${installation.config.homeserver.url}${target}`);
    const found = await metadata(installation);
    if (found === undefined) return ok(tried, 'it has none');
    const name = await serverName(installation);
    if (/synapse/i.test(name)) {
      return fail(
        tried,
        'Synapse leaves sign-ins to MAS, which asks for no second factor of this proxy',
        'use Synapse without matrix_authentication_service (docs/homeservers.md)',
      );
    }
    const end = endOfOAuth(name);
    const fix = end === undefined ? 'turn its OAuth off (docs/homeservers.md)' : `${end.server}: ${end.line}`;
    if (await takesPasswords(installation)) {
      return warn(
        tried,
        `${name} has an OAuth login beside passwords ("hybrid"): past us it asks for no code`,
        fix,
      );
    }
    return fail(tried, `${name} takes OAuth logins only ("exclusive"): they do not come by here`, fix);
  },
};

async function metadata(installation: Installation): Promise<JsonObject | undefined> {
  const replies = await Promise.all(OAUTH_METADATA.map((target) => installation.homeserver(target)));
  const found = replies.find(isSuccess);
  return found?.answered === true ? (found.json ?? {}) : undefined;
}

async function takesPasswords(installation: Installation): Promise<boolean> {
  const reply = await installation.homeserver(LOGIN);
  return reply.answered && offersPassword(reply.json);
}

/** What the homeserver calls itself, by its federation API or its header. */
export async function serverName(installation: Installation): Promise<string> {
  const reply = await installation.homeserver('/_matrix/federation/v1/version');
  const server = reply.answered ? reply.json?.server : undefined;
  if (isJsonObject(server) && typeof server.name === 'string') return server.name;
  const versions = await installation.homeserver(VERSIONS);
  const header = versions.answered ? versions.headers.server : undefined;
  return typeof header === 'string' ? header : 'the homeserver';
}

export const rcLoginCheck: InsideCheck = {
  id: 'rc-login',
  about: "Synapse's limit on logins leaves room for second factors (--homeserver-config)",
  outside: false,
  run: async ({ parts: { synapseFile } }) => {
    if (synapseFile === undefined) return skipped(NO_FILE);
    const tried = [`read rc_login.account in ${synapseFile.path}`];
    if (synapseFile.hasRoomForLogins) return ok(tried, 'it is higher than the default');
    return warn(
      tried,
      'it is the default or less: five logins at once, then one in five and a half minutes, for each account',
      `rc_login: { account: { per_second: 0.05, burst_count: 20 } } (docs/operate.md, "Synapse's limit on logins")`,
    );
  },
};

const NO_FILE = "Synapse's homeserver.yaml is not given (--homeserver-config)";

export const xForwardedCheck: InsideCheck = {
  id: 'x-forwarded',
  about: "Synapse sees its clients' addresses (--homeserver-config)",
  outside: false,
  run: async ({ parts: { synapseFile } }) => {
    if (synapseFile === undefined) return skipped(NO_FILE);
    const { path, clientListeners, withoutForwarded } = synapseFile;
    if (clientListeners === 0) return skipped(`${path} has no listener for clients`);
    const tried = [`read listeners in ${path}`];
    if (withoutForwarded.length === 0) return ok(tried, 'x_forwarded is set');
    return fail(
      tried,
      `x_forwarded is missing on ${withoutForwarded.join(', ')}: all sign-ins share one limit by address`,
      `set x_forwarded: true on that listener in ${path}`,
    );
  },
};

export const contactCheck: InsideCheck = {
  id: 'contact',
  about: 'pages can say whom to ask for help',
  outside: false,
  run: async (installation) => {
    const { brand, homeserver } = installation.config;
    if (brand.helpUrl !== undefined) return ok(['read brand.help_url'], `brand.help_url: ${brand.helpUrl}`);
    if (!(await installation.homeserverAnswers())) return skipped(NO_ANSWER);
    const tried = ['read brand.help_url', `GET ${homeserver.url}${SUPPORT_DOCUMENT}`];
    const reply = await installation.homeserver(SUPPORT_DOCUMENT);
    const named = reply.answered && reply.status === 200 ? supportIn(reply.json ?? null) : undefined;
    if (named !== undefined) {
      return ok(tried, `the homeserver names ${'href' in named ? named.href : named.userId}`);
    }
    return warn(
      tried,
      'no contact is known: people who have lost everything read that they have to ask the operator, and not how',
      `set brand.help_url, or let the homeserver serve ${SUPPORT_DOCUMENT} (docs/configure.md)`,
    );
  },
};

const TOLERATED_MS = 2 * SECOND;
const WRONG_MS = 10 * SECOND;

export const clockCheck: InsideCheck = {
  id: 'clock',
  about: 'the clocks of this machine, the database and the homeserver agree',
  outside: false,
  run: async (installation) => {
    const database = await installation.database.look();
    const clocks = [
      ...(database.is === 'there' && database.look.clock !== undefined
        ? [{ name: 'the database', ...database.look.clock }]
        : []),
      ...(await homeserverClock(installation)),
    ];
    return judgeClocks(clocks);
  },
};

/** How far another clock is ahead of this machine's, and how far off that may be. */
export interface ComparedClock {
  readonly name: string;
  readonly aheadMs: number;
  readonly uncertainMs: number;
}

export function judgeClocks(clocks: readonly ComparedClock[]): Finding {
  if (clocks.length === 0) return skipped('neither database nor homeserver tells its time');
  const tried = clocks.map(({ name }) => `asked ${name} for the time`);
  const off = clocks.map((clock) => ({
    ...clock,
    offMs: Math.max(0, Math.abs(clock.aheadMs) - clock.uncertainMs),
  }));
  const worst = off.reduce((one, other) => (other.offMs > one.offMs ? other : one));
  if (worst.offMs <= TOLERATED_MS) return ok(tried, 'they agree');
  const seconds = Math.round(Math.abs(worst.aheadMs) / SECOND);
  const found = `the clock of ${worst.name} is ${seconds} s ${worst.aheadMs > 0 ? 'ahead of' : 'behind'} that of this machine`;
  const judge = worst.offMs > WRONG_MS ? fail : warn;
  return judge(tried, found, 'set the clocks by NTP (timedatectl set-ntp true)');
}

/** Its `Date` has whole seconds, rounded down. */
async function homeserverClock(installation: Installation): Promise<ComparedClock[]> {
  if (!(await installation.homeserverAnswers())) return [];
  const before = installation.nowMs();
  const reply: Reply = await installation.web.ask(installation.config.homeserver.url, { target: VERSIONS });
  const after = installation.nowMs();
  const date = reply.answered ? Date.parse(reply.headers.date ?? '') : Number.NaN;
  if (Number.isNaN(date)) return [];
  const aheadMs = date + SECOND / 2 - (before + after) / 2;
  return [{ name: 'the homeserver', aheadMs, uncertainMs: (after - before) / 2 + SECOND / 2 }];
}
