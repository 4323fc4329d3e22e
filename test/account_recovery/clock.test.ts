import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { effect } from '../../src/storage/statement.ts';
import { beginRecovery } from '../../src/storage/tables/recovery_requests.ts';
import { LOGIN } from '../support/app.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { operate } from '../support/operate.ts';
import {
  BOB,
  begin,
  credentials,
  DAY,
  FROM_BEFORE,
  GROUNDS,
  HOUR,
  recorded,
  running,
  startRecovering,
  status,
  wait,
} from './recovering.ts';

const OWN = 'as_token_of_the_proxy_itself';
const asService = {
  applicationServices: [{ token: OWN, senderLocalpart: 'two-factor', prefix: '' }],
  ownToken: OWN,
};

describeOnBothDatabases('the clock of a request', (start) => {
  test('attack 262: a clock that jumps a day ahead or back ends no wait early, and neither does a restart', async () => {
    const { app } = await startRecovering(start);
    await begin(app);
    await wait(app, HOUR);
    for (const jump of [DAY, -DAY, -DAY, DAY, DAY]) {
      app.clock.advance(jump);
      await wait(app, HOUR);
    }
    // A jump ahead counts the hour that was lived, one back nothing.
    expect((await running(app)).countedMs).toBe(4 * HOUR);
    await app.shutDown();
    app.clock.advance(30 * DAY);
    await app.start();
    await app.proxy.keepHouse();
    expect((await running(app)).countedMs).toBe(4 * HOUR + 60_000);
  });

  test('attack 262: two processes whose clocks are a day apart count no more than what they have lived', async () => {
    const { app } = await startRecovering(start);
    const clock = new ManualClock(app.clock.now() + DAY);
    const other = await app.startAnother(undefined, clock);
    await other.proxy.keepHouse();
    await begin(app);
    for (let hours = 1; hours <= 72; hours += 1) {
      expect(await running(app)).toMatchObject({ state: 'waiting', countedMs: (hours - 1) * HOUR });
      app.live(HOUR);
      clock.advance(HOUR);
      // Either of them comes first.
      const round = hours % 3 === 0 ? [other, app] : [app, other];
      for (const each of round) await each.proxy.keepHouse();
    }
    expect(await running(app)).toMatchObject({ state: 'open', countedMs: 72 * HOUR });
  });

  test('attack 263: two processes count the same time once, also where it is decided in both at once', async () => {
    const { app } = await startRecovering(start);
    const other = await app.startAnother();
    await begin(app);
    await other.proxy.keepHouse();
    for (let hour = 0; hour < 80; hour += 8) {
      app.live(8 * HOUR);
      await Promise.all([app.proxy.keepHouse(), other.proxy.keepHouse()]);
      const { counted_ms, state } = await status(app);
      if (state === 'waiting') expect(Number(counted_ms)).toBeLessThanOrEqual((hour + 8) * HOUR);
    }
    expect(await status(app)).toMatchObject({ state: 'open' });
    expect(await recorded(app)).toEqual(['begun', 'told', 'opened']);
  });

  test('counts whole milliseconds, though a process measures fractions of them', async () => {
    const { app } = await startRecovering(start);
    await begin(app);
    for (let hours = 1; hours <= 3; hours += 1) {
      app.lived.ms -= 0.4;
      await wait(app, HOUR);
    }
    const { countedMs } = await running(app);
    expect(countedMs).toBeGreaterThan(3 * HOUR - 10);
    expect(countedMs).toBeLessThanOrEqual(3 * HOUR);
  });

  test('tells all again as often as is set, and a day before it opens', async () => {
    const { app } = await startRecovering(start, '{ enabled: true, wait: 10d, notice_every: 3d }');
    await begin(app);
    for (let days = 0; days < 20; days += 1) await wait(app, DAY / 2);
    const told = (await app.storage.audit.list({ userId: BOB }))
      .filter(({ event }) => event === 'recovery_request.told')
      .map(({ detail }) => detail.occasion);
    expect(told.toReversed()).toEqual(['repeated', 'repeated', 'tomorrow']);
    expect(await status(app)).toMatchObject({ state: 'open' });
  });

  test('runs on working days only, in the time zone and around the absences of its owner', async () => {
    const section = '{ enabled: true, wait: 48h, calendar: { work_week: [mon, tue, wed, thu, fri] } }';
    const { app } = await startRecovering(start, section);
    // The Friday noon before a weekend, and an absence on the Monday after it.
    const friday = Date.UTC(2027, 0, 8, 11);
    app.clock.set(friday);
    await app.storage.commit(
      [BOB],
      effect(
        `INSERT INTO recovery_contacts (user_id, voters, time_zone, absences, changed_at)
         VALUES (:userId, '[]', 'Europe/Berlin', :absences, :now)`,
        { userId: BOB, absences: JSON.stringify([{ from: '2027-01-11', to: '2027-01-11' }]) },
      ),
    );
    expect((await begin(app)).json.opens_ts).toBe(friday + 5 * DAY);
    for (let hours = 0; hours < 5 * 24; hours += 6) {
      expect((await running(app)).state).toBe('waiting');
      await wait(app, 6 * HOUR);
    }
    expect(await status(app)).toMatchObject({ state: 'open', opens_ts: friday + 5 * DAY });
  });

  test('where the operator wants it so, a request does not open if a device was used meanwhile', async () => {
    const section = '{ enabled: true, on_session_use: cancel }';
    const { app } = await startRecovering(start, section, asService);
    await begin(app);
    let seen: number | null = null;
    let says = 500;
    app.stub.override(/GET .*\/v3\/devices\?user_id=/, () => ({
      status: says,
      body: { devices: [{ device_id: 'MINE', last_seen_ts: seen }] },
    }));
    await wait(app, 72 * HOUR);
    // As long as no one says whether one was used, it goes on waiting.
    expect(await status(app)).toMatchObject({ state: 'waiting', counted_ms: 72 * HOUR });
    [says, seen] = [200, app.clock.now() - HOUR];
    await wait(app, HOUR);
    expect(await status(app)).toMatchObject({ state: 'refused' });

    await begin(app);
    seen = app.clock.now() - 1;
    await wait(app, 72 * HOUR);
    expect(await status(app)).toMatchObject({ state: 'open' });
  });

  test('a homeserver that hangs while it is asked for devices keeps no clock waiting', async () => {
    const { app } = await startRecovering(start, '{ enabled: true }', asService);
    await begin(app);
    let answer: () => void = () => undefined;
    const answered = new Promise<void>((resolve) => {
      answer = resolve;
    });
    app.stub.override(/GET .*\/v3\/devices\?user_id=/, async () => {
      await answered;
      return { status: 200, body: { devices: [] } };
    });
    const rounds: Promise<void>[] = [];
    for (const hours of [1, 2, 3]) {
      app.live(HOUR);
      rounds.push(app.proxy.keepHouse());
      for (let turns = 0; turns < 500 && (await running(app)).countedMs < hours * HOUR; turns += 1)
        await setImmediate();
      expect((await running(app)).countedMs).toBe(hours * HOUR);
    }
    answer();
    await Promise.all(rounds);
  });

  test('a held login that ends while the homeserver says which devices are used is no use of one', async () => {
    const section = '{ enabled: true, on_session_use: cancel }';
    const { app } = await startRecovering(start, section, asService);
    await begin(app);
    expect((await app.post(LOGIN, credentials())).status).toBe(401);
    const [held] = app.stub.devicesOf('bob');
    // It is swept by another process, just then.
    await app.storage.commit([BOB], effect('UPDATE holds SET expires_at = 2 * expires_at'));
    app.stub.override(/GET .*\/v3\/devices\?user_id=/, async () => {
      await app.storage.commit([BOB], effect('DELETE FROM holds'));
      const device = { device_id: held?.deviceId ?? '', last_seen_ts: app.clock.now() };
      return { status: 200, body: { devices: [device] } };
    });
    await wait(app, 72 * HOUR);
    expect((await running(app)).state).toBe('open');
  });

  test('is looked at, opened and ended by commands, with who and why on record', async () => {
    const { app } = await startRecovering(start);
    expect((await operate(app, 'recovery', 'approve', BOB, ...GROUNDS)).code).toBe(1);
    expect((await operate(app, 'recovery', 'show', BOB)).code).toBe(1);
    expect((await operate(app, 'recovery', 'list')).out).toBe('No account recovery runs.');
    await begin(app);
    expect((await operate(app, 'recovery', 'list')).out).toContain(`${BOB}  waiting`);
    expect((await operate(app, 'user', 'show', BOB)).out).toContain('  account recovery: waiting, begun ');
    expect((await operate(app, 'recovery', 'deny', BOB, '--reason', ' ', '--verified-by', 'x')).code).toBe(2);
    const approved = await operate(app, 'recovery', 'approve', BOB, ...GROUNDS);
    expect([approved.code, approved.out]).toEqual([0, `The recovery of ${BOB} can be finished now.`]);
    expect(await status(app)).toMatchObject({ state: 'open', opens_ts: app.clock.now() });
    expect((await operate(app, 'recovery', 'approve', BOB, ...GROUNDS)).code).toBe(1);
    expect((await operate(app, 'recovery', 'deny', BOB, ...GROUNDS)).code).toBe(0);
    const [shown] = JSON.parse((await operate(app, 'recovery', 'show', BOB, '--json')).out);
    expect(shown).toMatchObject({ state: 'cancelled', ended_by: 'operator', reason: GROUNDS[1] });
    const [denied] = await app.storage.audit.list({ userId: BOB });
    expect(denied).toMatchObject({
      event: 'recovery_request.denied',
      actor: expect.stringMatching(/^operator:./),
      detail: { reason: GROUNDS[1], verified_by: GROUNDS[3] },
    });
  });

  test('attack 261: where it is off no command opens one; what is on record is shown as that, and can be ended', async () => {
    const { app } = await startRecovering(start, '{ enabled: false }');
    await app.storage.commit([BOB], beginRecovery(FROM_BEFORE));
    const listed = await operate(app, 'recovery', 'list');
    const shown = await operate(app, 'recovery', 'show', BOB, '--json');
    expect([listed.code, shown.code]).toEqual([0, 0]);
    expect(listed.out).toContain(`${BOB}  waiting`);
    expect(JSON.parse(shown.out)).toMatchObject([{ user_id: BOB, state: 'waiting' }]);
    for (const { err } of [listed, shown]) expect(err).toContain('account recovery is off');

    const approved = await operate(app, 'recovery', 'approve', BOB, ...GROUNDS);
    expect([approved.code, approved.out]).toEqual([1, '']);
    expect(approved.err).toContain('account recovery is off');
    expect(await running(app)).toMatchObject({ state: 'waiting' });
    expect(await recorded(app)).toEqual([]);
    const denied = await operate(app, 'recovery', 'deny', BOB, ...GROUNDS);
    expect([denied.code, denied.out]).toEqual([0, `The recovery of ${BOB} was ended.`]);
    expect(await recorded(app)).toEqual(['denied']);
  });

  test('attack 264: a backup that is restored has no request that runs', async () => {
    const { app } = await startRecovering(start);
    await begin(app);
    const file = join(app.directory, 'copy.db');
    expect((await operate(app, 'backup', file)).code).toBe(0);
    await app.shutDown();
    app.clock.advance(60_000);
    const restored = await operate(app, 'restore', file, '--replace', '--yes');
    expect(restored.err).toBe('');
    await app.start();
    expect(await status(app)).toMatchObject({ state: 'cancelled' });
    expect(await recorded(app)).toEqual(['begun', 'cancelled']);
  });

  test('attack 277: looking how it stands, shortly before it opens too, is no use of a device', async () => {
    const section = '{ enabled: true, on_session_use: cancel }';
    const { app } = await startRecovering(start, section, asService);
    await begin(app);
    // As on a homeserver that says when each was last seen: all just now.
    app.stub.override(/GET .*\/v3\/devices\?user_id=/, () => ({
      status: 200,
      body: {
        devices: app.stub
          .devicesOf('bob')
          .map(({ deviceId }) => ({ device_id: deviceId, last_seen_ts: app.clock.now() })),
      },
    }));
    await wait(app, 71 * HOUR);
    expect(await status(app)).toMatchObject({ state: 'waiting' });
    expect(app.stub.devicesOf('bob')).not.toEqual([]);
    app.live(HOUR - 1);
    expect(await status(app)).toMatchObject({ state: 'waiting' });
    await wait(app, 60_000);
    expect(await status(app)).toMatchObject({ state: 'open' });
  });

  test('attack 278: a reset ends the one that runs; without a second factor none is begun, and none goes on', async () => {
    const { app } = await startRecovering(start);
    await begin(app);
    expect((await operate(app, 'user', 'reset', BOB, ...GROUNDS, '--yes')).code).toBe(0);
    expect(await recorded(app)).toEqual(['begun', 'cancelled']);
    const [entry] = (await app.storage.audit.list({ userId: BOB })).filter(
      ({ event }) => event === 'recovery_request.cancelled',
    );
    expect(entry).toMatchObject({
      actor: expect.stringMatching(/^operator:./),
      detail: { channel: 'reset' },
    });
    expect((await begin(app)).status).toBe(404);

    await app.enrol('bob');
    await begin(app);
    // However it went: that is found within a minute.
    await app.storage.factors.removeAllFactors(BOB);
    await wait(app, 60_000);
    await app.enrol('bob');
    expect(await status(app)).toMatchObject({ state: 'cancelled' });
    // The one who asked for the reset is not made to wait longer.
    await begin(app);
    expect(await running(app)).toMatchObject({ waitMs: 72 * HOUR });
  });
});
