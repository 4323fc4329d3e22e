/**
 * Preloaded into `serve`: after the first login that is asked for, or from the first form to `?from=PATH` on, each answer of
 * the homeserver and each commit that a request waits for is a point with a number, which is written to standard error. What
 * the process does by itself, such as housekeeping, has no numbers: on a busy machine it would stand at other places each time.
 * At the point `?at=N` of this module's address the process kills itself with kill -9, before anything of the program hears
 * of the answer or the commit.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { subscribe } from 'node:diagnostics_channel';
import { writeSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { HomeserverCall } from '../../src/homeserver/homeserver.ts';
import { HomeserverClient } from '../../src/homeserver/homeserver_client.ts';
import { Connections } from '../../src/storage/postgres/connections.ts';
import { GroupCommit } from '../../src/storage/sqlite/group_commit.ts';

const { searchParams: settings } = new URL(import.meta.url);
const at = Number(settings.get('at'));
const from = settings.get('from');
/** There is a request in all that is done for one. */
const requests = new AsyncLocalStorage<IncomingMessage>();
let isArmed = false;
let points = 0;

function pass(what: string): void {
  if (!isArmed || requests.getStore() === undefined) return;
  points += 1;
  writeSync(2, `point ${points}: ${what}\n`);
  if (points === at) process.kill(process.pid, 'SIGKILL');
}

subscribe('http.server.request.start', (message) => {
  const { request } = message as { readonly request: IncomingMessage };
  requests.enterWith(request);
  if (from !== null && request.method === 'POST' && request.url?.startsWith(from)) isArmed = true;
});

const ask = HomeserverClient.prototype.call;
HomeserverClient.prototype.call = async function (this: HomeserverClient, call: HomeserverCall) {
  if (from === null && call.path.endsWith('/login')) isArmed = true;
  const answer = await ask.call(this, call);
  pass(`${call.method} ${call.path.split('/').slice(4).join('/')}`);
  return answer;
};

const { write } = GroupCommit.prototype;
GroupCommit.prototype.write = async function <T>(this: GroupCommit, ...given: Parameters<typeof write<T>>) {
  const answer = await write.apply(this, given);
  pass('commit');
  return answer as T;
};

const { inTransaction } = Connections.prototype;
Connections.prototype.inTransaction = async function <T>(
  this: Connections,
  ...given: Parameters<typeof inTransaction<T>>
) {
  const answer = await inTransaction.apply(this, given);
  pass('commit');
  return answer as T;
};
