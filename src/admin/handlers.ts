import type { Audit } from '../audit/audit.ts';
import { shownEntry } from '../audit/shown_entry.ts';
import type { Grace, PolicyConfig } from '../config/config.ts';
import { POLICY_MODES } from '../config/settings.ts';
import { BadValue, parseGrace } from '../config/values.ts';
import type { RecoverySetDeps } from '../factors/recovery/new_recovery_set.ts';
import type { TotpSettings } from '../factors/totp/totp_settings.ts';
import { Refusal } from '../matrix/refusals.ts';
import type { Json, JsonObject } from '../matrix/wire.ts';
import { changeDeadLetters, shownDeadLetter } from '../notify/dead_letter.ts';
import { changePolicy } from '../policy/change_policy.ts';
import { type GivenCode, giveEmergencyCode, USUAL_VALIDITY_MS } from '../rescue/emergency_code.ts';
import { type Grounds, type ResetDeps, type ResetDone, resetUser, unlockUser } from '../rescue/help.ts';
import { ImportFileError } from '../rescue/import/entry.ts';
import { type ImportOrder, importAuthenticators } from '../rescue/import/import_authenticators.ts';
import { isImportFormat } from '../rescue/import/read_import.ts';
import { isKnownUser } from '../rescue/known_user.ts';
import { makeReport } from '../rescue/report.ts';
import { showUser } from '../rescue/shown_users.ts';
import { type ListedUser, listUsers, type UserFilter } from '../rescue/user_listing.ts';
import type { Write } from '../storage/statement.ts';
import type { Storage } from '../storage/storage.ts';
import { type EntryFilter, findNext } from '../storage/tables/audit_entries.ts';
import { listDevicePasswords } from '../storage/tables/device_passwords.ts';
import { listDeadLetters } from '../storage/tables/notices.ts';
import type { Clock } from '../system/clock.ts';
import { openApi } from './openapi.ts';
import type { AdminRouteId, RecoveryRouteId } from './routes.ts';

/** A request that may be carried out: token, scope and shape are checked. */
export interface AdminRequest {
  /** The name of the token. */
  readonly by: string;
  /** What stands for `{id}` in the path; empty where there is none. */
  readonly id: string;
  readonly query: JsonObject;
  readonly body: JsonObject;
  readonly bytes: Buffer;
  /** Keeps the answer, in the commit of what is done: nothing where the request came without a key. */
  readonly kept: (answer: JsonObject) => Write;
}

export type AdminHandler = (request: AdminRequest) => Promise<JsonObject>;

/** The handler of each route; a route that is off has none. */
export type AdminHandlers = Readonly<
  Record<Exclude<AdminRouteId, RecoveryRouteId>, AdminHandler> &
    Partial<Record<RecoveryRouteId, AdminHandler>>
>;

export interface AdminHandlersDeps {
  readonly storage: Storage;
  readonly audit: Audit;
  readonly recovery: RecoverySetDeps;
  readonly totp: TotpSettings;
  readonly machineClock: Clock;
  readonly mark: { keep(): Promise<void> };
  /** As it is now: it is read again while the program runs. */
  readonly policyNow: () => PolicyConfig;
  /** None where the recovery of accounts is off. */
  readonly recoveries: Pick<AdminHandlers, RecoveryRouteId> | undefined;
  /** What a reset ends, too. */
  readonly endingRecovery: ResetDeps['endingRecovery'];
  readonly endingDevicePasswords: ResetDeps['endingDevicePasswords'];
}

/** Each throws Refusal. */
export function adminHandlers(deps: AdminHandlersDeps): AdminHandlers {
  const { storage } = deps;
  return {
    listUsers: ({ query }) => listPage(deps, query),
    showUser: async ({ id: userId }) => {
      await requireKnown(storage, userId);
      return json(await showUser(storage, userId, deps.policyNow()));
    },
    unlockUser: async ({ id: userId, body, by, kept }) => {
      await requireKnown(storage, userId);
      const reason = textIn(body.reason)?.trim();
      const also = (failures: number) => kept({ failures });
      return { failures: await unlockUser(userId, reason, { ...deps, by }, also) };
    },
    setPolicy: (request) => setPolicy(request, deps),
    resetUser: async ({ id: userId, body, by, kept }) => {
      const revokeDevicePasswords = body.revoke_device_passwords === true;
      await requireSomethingToReset(storage, userId, revokeDevicePasswords);
      const order = { grounds: groundsIn(body), revokeDevicePasswords };
      const shown = (done: ResetDone) => ({
        ...{ authenticators: done.authenticators, device_passwords: done.devicePasswords },
      });
      return shown(await resetUser(userId, order, { ...deps, by }, (done) => kept(shown(done))));
    },
    giveEmergencyCode: async ({ id: userId, body, by, kept }) => {
      await requireKnown(storage, userId);
      const order = { grounds: groundsIn(body), validForMs: USUAL_VALIDITY_MS };
      const shown = ({ code, expiresAt }: GivenCode) => ({ code, expires_at: expiresAt });
      const also = (given: GivenCode) => kept(shown(given));
      const given = await giveEmergencyCode(userId, order, { ...deps, by }, also);
      if (given === undefined) throw new Refusal('not_enrolled');
      return shown(given);
    },
    importUsers: (request) => importUsers(request, deps),
    listEntries: ({ query }) => entriesPage(storage, query),
    report: async ({ query }) =>
      json(
        await makeReport(storage, {
          policy: deps.policyNow(),
          now: deps.recovery.clock.now(),
          months: Number(query.months),
        }),
      ),
    ...deps.recoveries,
    listDeadLetters: async () => {
      const letters = await storage.read(listDeadLetters());
      return json({ dead_letters: letters.map(shownDeadLetter) });
    },
    retryDeadLetter: async ({ id, by, kept }) => {
      const retried = await changeDeadLetters({ ...deps, by }, 'retry', id, kept({ retried: 1 }));
      if (retried === 0) throw new Refusal('unknown_notice');
      return { retried };
    },
    describe: async () => openApi(),
  };
}

/** @throws Refusal unknown_user, invalid_param */
async function setPolicy(
  { id: userId, body, by, kept }: AdminRequest,
  deps: AdminHandlersDeps,
): Promise<JsonObject> {
  const mode = POLICY_MODES.find((each) => each === body.mode) ?? 'inherit';
  const written = textIn(body.grace);
  if (mode === 'inherit' && written !== undefined)
    throw new Refusal('invalid_param', { text: 'A mode of null takes the grace back: leave grace out.' });
  const grace = graceIn(written);
  await requireKnown(deps.storage, userId);
  const answer = { mode: mode === 'inherit' ? null : mode };
  await changePolicy({ ...deps, by }, userId, { mode, grace, reason: undefined }, kept(answer));
  return answer;
}

function graceIn(written: string | undefined): Grace | undefined {
  try {
    return written === undefined ? undefined : parseGrace(written);
  } catch (error) {
    if (error instanceof BadValue) throw new Refusal('invalid_param', { text: `grace ${error.message}.` });
    throw error;
  }
}

/** @throws Refusal invalid_param if no user can fit */
async function listPage(
  { storage, policyNow, recovery }: AdminHandlersDeps,
  query: JsonObject,
): Promise<JsonObject> {
  const { with_2fa: withIt, without_2fa: without, no_codes: noCodes, locked, factor, search, after } = query;
  if (withIt === true && without === true)
    throw new Refusal('invalid_param', { text: 'with_2fa and without_2fa exclude each other.' });
  const filter: UserFilter = {
    enabled: withIt === true ? true : without === true ? false : undefined,
    ...{ noCodes: noCodes === true, locked: locked === true },
    policy: POLICY_MODES.find((each) => each === query.policy),
    ...{ inGrace: query.in_grace === true, overdue: query.overdue === true },
    ...{ factor: textIn(factor), search: textIn(search), after: textIn(after) },
  };
  const most = Number(query.limit);
  const users: ListedUser[] = [];
  const listing = { storage, policy: policyNow(), now: recovery.clock.now() };
  for await (const user of listUsers(listing, filter)) {
    if (users.length === most) return json({ users, next: users.at(-1)?.user_id ?? null });
    users.push(user);
  }
  return json({ users, next: null });
}

async function entriesPage(storage: Storage, query: JsonObject): Promise<JsonObject> {
  const { limit, after, user, event, actor, since, until } = query;
  const filter: EntryFilter = {
    userId: textIn(user),
    events: textIn(event)?.split(','),
    actor: textIn(actor),
    since: numberIn(since),
    until: numberIn(until),
  };
  const rows = await storage.read(findNext(filter, numberIn(after) ?? 0, Number(limit)));
  const next = rows.length < Number(limit) ? null : (rows.at(-1)?.number ?? null);
  return json({ entries: rows.map(shownEntry), next });
}

function textIn(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function numberIn(value: Json | undefined): number | undefined {
  return typeof value === 'number' ? value : undefined;
}

async function importUsers(
  { query, bytes, by, kept }: AdminRequest,
  deps: AdminHandlersDeps,
): Promise<JsonObject> {
  const format = String(query.from);
  if (!isImportFormat(format)) throw new Refusal('invalid_param');
  const { server_name: serverName, dry_run: dryRun } = query;
  const order: ImportOrder = {
    ...{ format, bytes, skipExisting: false, skipUnusable: false },
    serverName: textIn(serverName),
    dryRun: dryRun === true,
  };
  try {
    const report = await importAuthenticators(order, { ...deps, ...deps.recovery, by }, (done) =>
      kept(json(done)),
    );
    if (report.imported > 0) await deps.mark.keep();
    return json(report);
  } catch (error) {
    if (error instanceof ImportFileError)
      throw new Refusal('bad_json', { text: `The file: ${error.message}.` });
    throw error;
  }
}

/** @throws Refusal unknown_user */
async function requireKnown(storage: Storage, userId: string): Promise<void> {
  if (!(await isKnownUser(storage, userId))) throw new Refusal('unknown_user');
}

/** @throws Refusal unknown_user, not_enrolled */
async function requireSomethingToReset(
  storage: Storage,
  userId: string,
  revokeDevicePasswords: boolean,
): Promise<void> {
  await requireKnown(storage, userId);
  if (await storage.factors.isEnrolled(userId)) return;
  if (revokeDevicePasswords && (await storage.read(listDevicePasswords(userId))).length > 0) return;
  throw new Refusal('not_enrolled');
}

/** The grounds in a body that has both. */
export function groundsIn({ reason, verified_by: verifiedBy }: JsonObject): Grounds {
  return { reason: String(reason).trim(), verifiedBy: String(verifiedBy).trim() };
}

function json(value: object): JsonObject {
  return value as JsonObject;
}
