import { expect, test } from '@jest/globals';
import { Housekeeping } from '../../src/server/housekeeping.ts';
import { silentLog } from '../../src/system/log.ts';

type Deps = ConstructorParameters<typeof Housekeeping>[0];
type Task = Deps['tasks'][number];

function housekeeping(tasks: readonly Task[], upstream: readonly Task[]): Housekeeping {
  const nothing = async () => undefined;
  const [presence, expired] = [{ renew: nothing }, { endWrongTimes: nothing, drop: nothing }];
  return new Housekeeping({ presence, expired, tasks, upstream, log: silentLog } as unknown as Deps);
}

test('R10: a task that fails keeps no login from its end, and is told', async () => {
  const done: string[] = [];
  const fails = async () => {
    throw new Error('no');
  };
  const keeping = housekeeping(
    [fails, async () => done.push('task')],
    [fails, async () => done.push('sweep')],
  );
  await expect(keeping.round()).rejects.toThrow('no');
  expect(done).toEqual(['task', 'sweep']);
});

test('what waits for the homeserver delays no later round', async () => {
  let rounds = 0;
  const counts = async () => {
    rounds += 1;
  };
  const keeping = housekeeping([counts], [() => new Promise(() => undefined)]);
  for (let turn = 1; turn <= 3; turn += 1) {
    void keeping.round();
    await new Promise(setImmediate);
    expect(rounds).toBe(turn);
  }
});
