import { expect, test } from '@jest/globals';
import { Watch } from '../../src/server/watch.ts';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { effect, when } from '../../src/storage/statement.ts';
import { type StoreWatch, watchedDriver } from '../../src/storage/watched_driver.ts';
import { createLogger } from '../../src/system/logger.ts';
import { entryOn, type GivenRecord } from '../support/entries.ts';

const RECORD: GivenRecord = {
  at: 1,
  userId: '@bob:localhost',
  event: 'totp.used',
  address: '192.0.2.1',
  deviceId: null,
  detail: { place: 'login' },
};

function watching(): { watch: Watch; events: () => unknown[] } {
  const lines: string[] = [];
  const log = createLogger({ level: 'info', format: 'json' }, { write: (line) => void lines.push(line) });
  const watch = new Watch({ log, ticks: () => 0, metrics: undefined });
  return { watch, events: () => lines.map((line) => JSON.parse(line)) };
}

/** The driver that answers every unit with what `answer` says. */
function answering(watch: StoreWatch, answer: () => Promise<unknown>) {
  const driver = { commit: answer, read: answer, check: answer, close: answer };
  return watchedDriver(driver as unknown as Parameters<typeof watchedDriver>[0], watch);
}

test('one line tells that the store is away, one that it is back', async () => {
  const { watch, events } = watching();
  const away = answering(watch.store, () => Promise.reject(new StoreUnavailable(new Error('disk full'))));
  const back = answering(watch.store, () => Promise.resolve([]));
  for (const driver of [back, away, away, back, back]) await driver.check().catch(() => undefined);
  expect(events()).toMatchObject([
    { level: 'error', event: 'store_down', err: { message: 'disk full' } },
    { level: 'info', event: 'store_up' },
  ]);
});

test('so with the homeserver, which is not down where it only refuses', () => {
  const { watch, events } = watching();
  const { homeserver } = watch;
  homeserver.answered('login', 1);
  homeserver.failed('login', 'limit');
  homeserver.failed('whoami', 'down', new Error('ECONNREFUSED'));
  homeserver.failed('login', 'down', new Error('ECONNREFUSED'));
  homeserver.answered('versions', 1);
  expect(events()).toMatchObject([{ event: 'homeserver_down' }, { event: 'homeserver_up' }]);
});

test('a line of the audit is told once it is committed, of the side of a branch that was taken', async () => {
  const { watch, events } = watching();
  const unit = when(
    { does: 'decide', sql: '', values: {} },
    { won: [effect(''), entryOn({}, RECORD)], lost: [entryOn({}, { ...RECORD, event: 'factor.refused' })] },
  );
  const won = { won: true, row: {}, after: [1, 1] };
  await answering(watch.store, () => Promise.resolve(won)).commit([], unit);
  await answering(watch.store, () => Promise.resolve({ won: false, after: [1] })).commit([], unit);
  await answering(watch.store, () => Promise.resolve({ won: false, undone: true })).commit([], {
    ...unit,
    lost: 'undo',
  });
  const failing = answering(watch.store, () => Promise.reject(new Error('not written')));
  await expect(failing.commit([], unit)).rejects.toThrow('not written');
  expect(events()).toMatchObject([
    {
      event: 'audit',
      what: 'totp.used',
      actor: 'user',
      address: '192.0.2.1',
      user_id: '@bob:localhost',
      detail: { place: 'login' },
    },
    { event: 'audit', what: 'factor.refused' },
  ]);
});
