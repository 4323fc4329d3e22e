import { setTimeout as pause } from 'node:timers/promises';
import { run } from '../../../src/cli/program.ts';
import { ask } from '../../../src/storage/statement.ts';
import { systemClock } from '../../../src/system/clock.ts';
import { systemRandom } from '../../../src/system/random.ts';
import { oddLines } from '../clear_log.ts';
import type { Enrolment } from './other_acts.ts';
import { finishSession, type Owner, openSession, type Storm, signOut } from './storm_client.ts';
import type { World } from './world.ts';

const READY_WITHIN_MS = 120_000;
/** Housekeeping comes by in less than so much after the end of a held login, and after the time to try its logout again. */
const SWEPT_WITHIN_MS = 150_000;
const TRIES = 2;

/** What an auditor finds wrong after a fault, from outside and in the store. */
export class Auditor {
  /** Owners who signed in, and how many of them at their second try. */
  readonly signIns = { first: 0, second: 0 };
  private logRead = 0;

  constructor(
    private readonly storm: Storm,
    private readonly owners: readonly Owner[],
    private readonly enrolments: readonly Enrolment[],
  ) {}

  /** All of it, while nothing is broken. */
  async audit(): Promise<void> {
    await this.untilReady();
    await Promise.all(this.owners.map((owner) => this.getsIn(owner)));
    await this.lookInside();
    this.readLog();
  }

  /** `serve` says that it can do its work. */
  async untilReady(): Promise<void> {
    const { world, ledger, now } = this.storm;
    const deadline = Date.now() + READY_WITHIN_MS;
    for (;;) {
      if (world.hasEnded) {
        ledger.fault(`${now}: serve ended by itself`);
        await world.begin();
      }
      if (await isReady(world)) return;
      if (Date.now() > deadline)
        return ledger.fault(`${now}: serve was not ready ${READY_WITHIN_MS / 1000} s later`);
      await pause(100);
    }
  }

  /** Within two tries; who has not the codes for two is left for the next time. */
  private async getsIn(owner: Owner): Promise<void> {
    const { ledger, now } = this.storm;
    const told: string[] = [];
    if (owner.book.count(Date.now()) < TRIES) return;
    for (let turn = 0; turn < TRIES; turn += 1) {
      const { userId } = owner.enrolled;
      const { session, told: toldPassword } = await openSession(this.storm, { userId, from: owner.address });
      const code = session === undefined ? undefined : owner.book.take(Date.now());
      if (session === undefined || code === undefined) {
        told.push(toldPassword);
        continue;
      }
      const { tokens, told: toldCode } = await finishSession(this.storm, owner, session, code);
      for (const token of tokens) await signOut(this.storm, owner, token);
      if (tokens.length > 0) {
        this.signIns[turn === 0 ? 'first' : 'second'] += 1;
        return;
      }
      told.push(toldCode);
    }
    ledger.fault(`${now}: ${owner.name} was kept out: ${told.join('; then ')}`);
  }

  /** What the store says. */
  private async lookInside(): Promise<void> {
    const { world, ledger, now } = this.storm;
    const said = await operate(world, 'audit', 'verify');
    if (said.code !== 0) ledger.fault(`${now}: the audit is not whole: ${said.text}`);
    await world.withStorage(async ({ read }) => {
      const late = Date.now() - SWEPT_WITHIN_MS - world.wasBehindMs;
      world.wasBehindMs = 0;
      const held = await read(
        ask<{ userId: string }>(
          'SELECT user_id AS "userId" FROM holds WHERE expires_at < :late AND leased_until < :late',
          { late },
        ),
      );
      for (const { userId } of held) ledger.fault(`${now}: a login of ${userId} is held after its time`);
      const sets = await read(ask<Set2fa>(SETS));
      for (const fault of faultsOf(sets, this.enrolments)) ledger.fault(`${now}: ${fault}`);
      const counted = await read(ask<{ userId: string; count: number }>(REFUSALS));
      for (const [userId, refused] of ledger.wrongCodesRefused) {
        const count = Number(counted.find((row) => row.userId === userId)?.count ?? 0);
        if (count < refused)
          ledger.fault(`${now}: ${refused} wrong codes of ${userId} were refused, and ${count} counted`);
      }
    });
  }

  /** What was written since the last time. */
  private readLog(): void {
    const { world, ledger, now } = this.storm;
    const { log } = world;
    const end = log.lastIndexOf('\n') + 1;
    for (const line of oddLines(log.slice(this.logRead, end)))
      ledger.fault(`${now}: an odd line in the log: ${line}`);
    this.logRead = end;
  }
}

interface Set2fa {
  readonly userId: string;
  readonly authenticators: number;
  readonly recoveryCodes: number;
}

/** Everybody who has a part of two-factor authentication. */
const SETS = `SELECT accounts.user_id AS "userId",
    (SELECT count(*) FROM authenticators WHERE authenticators.user_id = accounts.user_id) AS authenticators,
    (SELECT count(*) FROM recovery_codes WHERE recovery_codes.user_id = accounts.user_id) AS "recoveryCodes"
  FROM accounts`;

const REFUSALS = `SELECT user_id AS "userId", count(*) AS count FROM audit WHERE event = 'factor.refused' GROUP BY user_id`;

/** An enrolment is whole, or not there: an authenticator with its recovery codes. */
function faultsOf(sets: readonly Set2fa[], enrolments: readonly Enrolment[]): string[] {
  const on = new Set(sets.filter((each) => Number(each.authenticators) > 0).map(({ userId }) => userId));
  const halves = sets.filter((each) => Number(each.authenticators) > 0 !== Number(each.recoveryCodes) > 0);
  return [
    ...halves.map((each) => `an enrolment is half done: ${JSON.stringify(each)}`),
    ...enrolments
      .filter(({ userId, outcome }) => outcome === 'on' && !on.has(userId))
      .map(({ userId }) => `${userId} was told that it is on, and it is off`),
    ...enrolments
      .filter(({ userId, outcome }) => outcome === 'off' && on.has(userId))
      .map(({ userId }) => `${userId} was told that it is off, and it is on`),
  ];
}

async function isReady({ url }: World): Promise<boolean> {
  return fetch(`${url}/_2fa/ready`, { signal: AbortSignal.timeout(5_000) }).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** A command of the operator, in this process. */
async function operate(world: World, ...words: readonly string[]): Promise<{ code: number; text: string }> {
  const said: string[] = [];
  const say = (...lines: readonly string[]) => void said.push(...lines);
  const code = await run([...words, '--config', world.directConfig], {
    environment: {},
    clock: systemClock,
    random: systemRandom,
    out: say,
    csv: say,
    err: say,
    confirm: async () => true,
    dialogue: () => undefined,
    untilStopped: async () => undefined,
    onReload: () => undefined,
    untilFault: () => new Promise(() => undefined),
  });
  return { code, text: said.join('; ') };
}
