/**
 * No read at a start, in a round of housekeeping, for the metrics or at a sign-in gives a row for each user: what goes
 * through all of them does so by parts.
 */
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { Client } from 'pg';
import { requireFittingKeys } from '../../src/cli/keys_fit.ts';
import { loadConfig } from '../../src/config/load.ts';
import { Connection } from '../../src/storage/sqlite/connection.ts';
import { sawUser } from '../../src/storage/tables/known_users.ts';
import { beginGrace, setPolicy } from '../../src/storage/tables/policies.ts';
import { systemRandom } from '../../src/system/random.ts';
import { LOGIN, passwordLogin, type TestApp } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { call } from '../support/http.ts';

const USERS = 220;
/** The largest part (`policy/reminders.ts`). */
const PART = 200;
const AT_ONCE = 20;

/** Half of the users have 2FA on, the others have to set it up by the operator's command. */
async function fill({ storage, clock, enrol }: Filled): Promise<void> {
  for (let begun = 0; begun < USERS; begun += AT_ONCE) {
    const names = Array.from({ length: AT_ONCE }, (_, index) => `user${begun + index}`);
    await Promise.all(
      names.flatMap((name) => {
        const userId = `@${name}:example.org`;
        const required = {
          mode: 'required',
          graceMs: null,
          graceUntil: null,
          foldedLocalpart: name,
        } as const;
        const told = { stage: 0, deadlineTs: clock.now() };
        return [
          enrol(`on_${name}`),
          storage.commit([], sawUser(userId)),
          storage.commit([userId], setPolicy(userId, required, true)),
          storage.commit([userId], beginGrace(userId, clock.now(), told)),
        ];
      }),
    );
  }
}

type Filled = Pick<TestApp, 'storage' | 'clock'> & { enrol(name: string): Promise<unknown> };

/** How many rows each statement gave at most, until it is stopped. */
class Reads {
  readonly rows = new Map<string, number>();
  readonly #all = Connection.prototype.all;
  readonly #query = Client.prototype.query;

  constructor() {
    const note = this.note.bind(this);
    const [all, query] = [this.#all, this.#query];
    Connection.prototype.all = function watched(this: Connection, ...given) {
      return note(given[0], all.apply(this, given));
    } as typeof all;
    Client.prototype.query = async function watched(this: Client, ...given: unknown[]) {
      const [first] = given as [string | { readonly text: string }];
      const answer = await (Reflect.apply(query, this, given) as Promise<{ rows?: unknown[] }>);
      note(typeof first === 'string' ? first : first.text, answer.rows ?? []);
      return answer;
    } as typeof query;
  }

  note<Row>(sql: string, rows: Row[]): Row[] {
    this.rows.set(sql, Math.max(rows.length, this.rows.get(sql) ?? 0));
    return rows;
  }

  get tooLong(): string[] {
    return [...this.rows].filter(([, rows]) => rows > PART).map(([sql]) => sql);
  }

  stop(): void {
    Connection.prototype.all = this.#all;
    Client.prototype.query = this.#query;
  }
}

describeOnBothDatabases('many users', (start) => {
  test('are read by parts at a start, by housekeeping and for the metrics, and no other ones at a sign-in', async () => {
    const app = await start({
      config: 'metrics: { listen: "127.0.0.1:0" }\nwebauthn: { rp_id: example.org }',
    });
    const { storage, clock } = app;
    await fill({ storage, clock, enrol: (name) => app.enrol(name, 0) });
    const reads = new Reads();
    try {
      const config = loadConfig(join(app.directory, 'config.yaml'), {});
      await requireFittingKeys(config, { clock, random: systemRandom });
      const { proxy } = await app.startAnother();
      await proxy.remarkOnFactors();
      await proxy.keepHouse();
      const { text } = await call(proxy.metricsUrl ?? '', { target: '/metrics' });
      for (const state of ['enrolled', 'no_recovery_codes']) {
        expect(text).toContain(`m2fa_users{state="${state}"} ${USERS}\n`);
      }
      for (const name of ['user1', 'on_user1', 'nobody']) {
        expect((await app.post(LOGIN, passwordLogin(name, 'wrong'))).status).toBe(403);
      }
      expect(reads.tooLong).toEqual([]);
      expect(reads.rows.size).toBeGreaterThan(15);
      // A list of all users would have been seen.
      await storage.factors.enrolledUsers();
      expect(reads.tooLong).toEqual([expect.stringContaining('SELECT DISTINCT user_id')]);
    } finally {
      reads.stop();
    }
  });
});
