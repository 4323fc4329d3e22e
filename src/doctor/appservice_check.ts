import { errcodeOf } from '../homeserver/answer_refusal.ts';
import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import { HomeserverClient } from '../homeserver/homeserver_client.ts';
import { APPSERVICE_LOGIN, LOGIN_PATH } from '../matrix/wire.ts';
import { silentLog } from '../system/log.ts';
import { randomId } from '../system/random.ts';
import { type Finding, fail, type InsideCheck, ok, skipped, warn } from './check.ts';
import { serverName } from './homeserver_checks.ts';
import { howToInstall } from './homeserver_logins.ts';
import type { Installation } from './installation.ts';

export const appserviceCheck: InsideCheck = {
  id: 'appservice',
  about: 'the homeserver takes the logins of homeserver.appservice',
  outside: false,
  run: async (installation) => {
    const { appservice, url } = installation.config.homeserver;
    if (appservice === undefined) {
      return skipped('homeserver.appservice is not set: a sign-in that names its device takes two logins');
    }
    if (!(await installation.homeserverAnswers()))
      return skipped('the homeserver does not answer (see homeserver)');
    const tried = [`POST ${url}${LOGIN_PATH}, in the name of a user that is not there`];
    const answer = await logInAsNobody(installation, appservice.asToken);
    if (answer === undefined) return warn(tried, 'the homeserver gave no clear answer', 'run doctor again');
    return judgeOwnLogin(answer, { tried, file: appservice.file, name: await serverName(installation) });
  },
};

interface Judged {
  readonly tried: readonly string[];
  readonly file: string;
  /** What the homeserver calls itself. */
  readonly name: string;
}

/** What the answer to a login in an invented name says of our registration. */
export function judgeOwnLogin(answer: HomeserverAnswer, { tried, file, name }: Judged): Finding {
  const errcode = errcodeOf(answer);
  if (answer.status === 401) {
    return fail(tried, `${name} does not know ${file}`, howToInstall(file, name).join('; '));
  }
  if (errcode === 'M_APPSERVICE_LOGIN_UNSUPPORTED') {
    return warn(
      tried,
      `${name} takes no logins of application services: sign-ins go on without`,
      'let it take passwords beside its OAuth, or remove homeserver.appservice',
    );
  }
  // Synapse has a code of its own for users whom the registration does not cover.
  if (errcode === 'M_EXCLUSIVE' || (errcode === 'M_FORBIDDEN' && /synapse/i.test(name))) {
    return fail(
      tried,
      `the namespaces of ${file}, as ${name} has read it, do not cover its users`,
      `put the server name into the regex of namespaces.users in ${file}, and restart the homeserver`,
    );
  }
  if (answer.status === 429 || answer.status >= 500) {
    return warn(
      tried,
      `${name} answered ${answer.status}`,
      'rate_limited: false in the file; run doctor again',
    );
  }
  if (answer.status === 400) {
    return fail(
      tried,
      `${name} does not know ${APPSERVICE_LOGIN}`,
      'use a version that does, or remove homeserver.appservice',
    );
  }
  return ok(tried, `${name} knows ${file}`);
}

/** Undefined where no answer can be had. What was granted all the same is logged out. */
async function logInAsNobody(
  { config, parts: { random } }: Installation,
  token: string,
): Promise<HomeserverAnswer | undefined> {
  // Not by the means of other checks: this one sends a secret, so certificates count.
  const homeserver = new HomeserverClient({ url: config.homeserver.url, random, log: silentLog });
  try {
    const user = `doctor-${randomId(random)
      .toLowerCase()
      .replace(/[^a-z0-9]/g, '')}`;
    const answer = await homeserver.call({
      ...{ method: 'POST', path: LOGIN_PATH, token },
      body: { type: APPSERVICE_LOGIN, identifier: { type: 'm.id.user', user } },
      client: { ip: '127.0.0.1', proto: 'https', host: undefined },
    });
    const granted = answer.json?.access_token;
    if (typeof granted === 'string') await homeserver.logout(granted);
    return answer;
  } catch {
    return undefined;
  } finally {
    await homeserver.close();
  }
}
