import { readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { effect } from '../../src/storage/statement.ts';
import { HOUR, MINUTE } from '../../src/system/clock.ts';
import { describeOnOperated } from './operated_database.ts';

const BOB = '@bob:example.org';
const CAROL = '@carol:example.org';
const DAY = 24 * HOUR;

describeOnOperated('the audit on the command line', (at) => {
  const type = (...words: string[]) => at.database.line.type(...words);
  const verify = (...words: string[]) => type('audit', 'verify', ...words);
  const reset = async (userId: string) => {
    await at.database.enrol(userId);
    const grounds = ['--reason', 'lost\u001b[2J phone', '--verified-by', 'in person'];
    expect(await type('user', 'reset', userId, ...grounds, '--yes')).toMatchObject({ code: 0 });
  };
  const change = (sql: string) => at.database.with((storage) => storage.commit([], effect(sql)));
  const entries = async (...words: string[]) => {
    const { code, out, err } = await type('audit', ...words);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    return out
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line));
  };

  test('each command has a chain; the operator is named; verify says what there is, or what is wrong', async () => {
    await reset(BOB);
    await reset(CAROL);
    expect(await verify()).toEqual({ code: 0, out: '2 entries in 2 chains', err: '' });
    const [carols, bobs] = await entries('show', '--json');
    expect(carols).toEqual({
      ...{ chain: 2, n: 1, at: at.database.line.clock.now(), event: 'operator.reset', user_id: CAROL },
      ...{ actor: expect.stringMatching(/^operator:./), address: null, device_id: null, request_id: null },
      detail: { authenticators: 1, reason: 'lost\u001b[2J phone', verified_by: 'in person' },
      mac: expect.stringMatching(/^.+\.[0-9a-f]{64}$/),
    });
    expect(bobs).toMatchObject({ chain: 1, n: 1, user_id: BOB });
    await change("UPDATE audit SET user_id = '@eve:example.org' WHERE chain = 2");
    expect(await verify()).toEqual({ code: 1, out: 'chain 2, entry 1: changed', err: '' });
    await change('DELETE FROM audit WHERE chain = 1');
    expect(await verify()).toMatchObject({ code: 1, out: 'chain 1, entry 1: missing' });
    await change('DELETE FROM audit_chains WHERE chain = 2');
    expect(await verify()).toMatchObject({ code: 1, out: 'chain 2: missing' });
  });

  test('attack 198: what others wrote commands no terminal', async () => {
    await reset(BOB);
    for (const words of [['show'], ['show', '--json'], ['export']]) {
      const { out } = await type('audit', ...words);
      expect(out).toContain('lost\\u001b[2J phone');
      expect(out).not.toContain('\u001b');
    }
  });

  test('show and export find by user, event, actor, age and number', async () => {
    const { clock } = at.database.line;
    await reset(BOB);
    clock.advance(2 * HOUR);
    const time = new Date(clock.now()).toISOString();
    await reset(CAROL);
    await at.database.enrol(BOB);
    await type('user', 'unlock', BOB);
    const events = async (...words: string[]) => {
      const found = await entries('export', ...words);
      return found.map(({ user_id, event }) => `${user_id} ${event}`);
    };
    const all = [`${BOB} operator.reset`, `${CAROL} operator.reset`, `${BOB} operator.unlock`];
    expect(await events()).toEqual(all);
    expect(await events('--user', BOB)).toEqual([all[0], all[2]]);
    expect(await events('--event', 'operator.unlock, totp.used')).toEqual([all[2]]);
    expect(await events('--event', 'operator.reset', '--limit', '1')).toEqual([all[0]]);
    expect(await events('--actor', 'operator')).toEqual(all);
    expect(await events('--actor', 'user')).toEqual([]);
    expect(await events('--since', '1h')).toEqual(all.slice(1));
    expect(await events('--until', '1h')).toEqual(all.slice(0, 1));
    expect(await events('--since', time)).toEqual(all.slice(1));
    expect((await type('audit', 'show', '--limit', '1')).out).toMatch(
      /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d {2}operator\.unlock {2}@bob:example\.org {2}by operator:.+ {2}\{"failures":0\}$/,
    );
  });

  test.each([
    [['show', '--since', 'yesterday'], '--since must be a time'],
    [['show', '--since', '999999999999999d'], '--since must be a time'],
    [['show', '--limit', '0'], '--limit must be a number from 1 on'],
    [['export', '--user', 'bob'], '"bob" is not a user id'],
  ])('%j is wrong use', async (words, text) => {
    const { code, err } = await type('audit', ...words);
    expect({ code, err }).toEqual({ code: 2, err: expect.stringContaining(text) });
  });

  test('an export goes into a new file of its owner, and tells later what is gone', async () => {
    await reset(BOB);
    await reset(CAROL);
    const file = join(at.database.line.folder, 'july.jsonl');
    expect(await type('audit', 'export', '--out', file)).toMatchObject({
      code: 0,
      out: `2 entries written into ${file}.`,
    });
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await type('audit', 'export', '--out', file)).toMatchObject({
      code: 1,
      err: expect.stringContaining('EEXIST'),
    });
    expect(await verify('--against', file)).toMatchObject({ code: 0 });
    await change('DELETE FROM audit');
    await change('DELETE FROM audit_chains');
    expect(await verify()).toMatchObject({ code: 0, out: '0 entries in 0 chains' });
    expect(await verify('--against', file)).toEqual({ code: 1, out: 'chain 1, entry 1: missing', err: '' });
    writeFileSync(file, 'not an entry\n');
    expect(await verify('--against', file)).toMatchObject({
      code: 1,
      err: expect.stringContaining('line 1'),
    });
    // Longer than a string can be; the file system keeps no zeros.
    writeFileSync(file, '\n');
    truncateSync(file, 600 * 1024 * 1024);
    expect(await verify('--against', file)).toMatchObject({
      code: 1,
      err: expect.stringContaining('july.jsonl, line 2: this is not an entry'),
    });
    expect(await verify('--against', `${file}.none`)).toMatchObject({
      code: 1,
      err: expect.stringContaining('ENOENT'),
    });
  });

  test('keys are rotated and retired, what is old is pruned, and the rest verifies', async () => {
    const { clock } = at.database.line;
    await reset(BOB);
    const first = JSON.parse((await type('keys', 'list', '--json')).out)[0].id;
    await type('keys', 'rotate', '--active-in', '1s');
    clock.advance(2 * MINUTE);
    await reset(CAROL);
    expect(await type('keys', 'retire', first)).toMatchObject({ code: 0 });
    expect(await verify()).toMatchObject({ code: 0, out: '2 entries in 2 chains' });
    clock.advance(400 * DAY - MINUTE);
    expect(await type('audit', 'prune')).toMatchObject({
      code: 0,
      out: '1 entry removed, 0 addresses shortened.',
    });
    expect(await verify()).toMatchObject({ code: 0, out: '1 entry in 2 chains' });
    const other = readFileSync(at.database.keys, 'utf8');
    writeFileSync(
      at.database.keys,
      other.replaceAll(
        /"secret": ?"./g,
        (found) => `${found.slice(0, -1)}${found.endsWith('A') ? 'B' : 'A'}`,
      ),
    );
    expect(await verify()).toMatchObject({ code: 1, out: 'the count of the chains: changed' });
  });

  test('a copy verifies, and a restored one', async () => {
    await reset(BOB);
    const { folder } = at.database.line;
    const [backup, copy] = [join(folder, 'backup.db'), join(folder, 'copy.db')];
    expect(await type('backup', backup)).toMatchObject({ code: 0 });
    expect(await type('migrate', '--from', at.database.address, '--to', `sqlite:${copy}`)).toMatchObject({
      code: 0,
    });
    at.database.configure(`{ type: sqlite, path: ${copy} }`);
    expect(await verify()).toMatchObject({ code: 0, out: '1 entry in 1 chain' });
    at.database.configure(at.database.storageText);
    await at.database.enrol(CAROL);
    expect(await type('restore', backup, '--replace', '--yes')).toMatchObject({ code: 0 });
    expect(await verify()).toMatchObject({ code: 0, out: '1 entry in 1 chain' });
    await reset(CAROL);
    expect(await verify()).toMatchObject({ code: 0, out: '2 entries in 2 chains' });
  });

  test('follow goes on with what comes', async () => {
    await reset(BOB);
    const following = at.database.line.start('audit', 'show', '--follow', '--json');
    expect(JSON.parse(await following.said)).toMatchObject({ user_id: BOB });
    await reset(CAROL);
    following.stop();
    const { code, out } = await following.ended;
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => JSON.parse(line).user_id)).toContain(BOB);
  });
});
