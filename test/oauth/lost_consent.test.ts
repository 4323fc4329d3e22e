import { expect, test } from '@jest/globals';
import { StoreUnavailable } from '../../src/storage/errors.ts';
import { ask } from '../../src/storage/statement.ts';
import { IS_FREE } from '../../src/storage/tables/holds.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { formsOf, Visitor } from '../support/visitor.ts';
import { leadsTo, registerApp, requestOf } from './asking.ts';

const PASSWORD = 'bob password';

describeOnBothDatabases('a consent whose code is not stored', (start) => {
  test('attack 367: its held login stays free for others, and ends with the next yes', async () => {
    const app = await start({
      users: [{ name: 'bob', password: PASSWORD }],
      config: 'oauth: { enabled: true }',
    });
    const bob = await app.enrol('bob');
    const visitor = new Visitor(app.url);
    await visitor.open(requestOf({ client_id: await registerApp(app) }));
    await visitor.send({ user: 'bob', password: PASSWORD });
    await visitor.send({ code: app.code(bob) });
    const { commit } = app.storage;
    const failing: typeof commit = (accounts, unit) =>
      JSON.stringify(unit).includes('INSERT INTO oauth_grants')
        ? Promise.reject(new StoreUnavailable(new Error('it is away')))
        : commit(accounts, unit);
    Object.assign(app.storage, { commit: failing });
    const [form] = formsOf(visitor.last?.text ?? '');
    const failed = await visitor.send({ decision: 'allow' });
    Object.assign(app.storage, { commit });
    expect(failed.status).toBe(503);
    const free = ask(`SELECT id FROM holds WHERE user_id = '${bob.userId}' AND ${IS_FREE}`);
    expect(await app.storage.read(free)).toHaveLength(1);
    await visitor.post({ ...form?.fields, decision: 'allow' }, {}, form?.action.replaceAll('&amp;', '&'));
    const done = await visitor.send({ decision: 'allow' });
    expect(leadsTo(done).searchParams.get('code')).not.toBeNull();
    await app.proxy.keepHouse();
    expect(app.stub.liveTokens('bob')).toEqual([]);
  });
});
