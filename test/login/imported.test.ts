import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { seedText } from '../../src/factors/totp/totp_seed.ts';
import { describeOnBothDatabases } from '../support/both_databases.ts';
import { codeAt } from '../support/enrolment.ts';
import { operate } from '../support/operate.ts';
import { PASSWORD, STEP, signIn, submit } from './support.ts';

const BOB = '@bob:localhost';
const SEED = Buffer.from('a seed of Authelia...');

describeOnBothDatabases('an authenticator of another program', (start) => {
  test('attack 188: its code of the moment is spent, the next one signs in, and the password alone does not', async () => {
    const app = await start({ users: [{ name: 'bob', password: PASSWORD }] });
    expect((await signIn(app, 'bob')).status).toBe(200);
    const file = join(app.directory, 'import.csv');
    writeFileSync(file, `user_id,seed\n${BOB},${seedText(SEED)}\n`);
    expect(await operate(app, 'user', 'import', '--from', 'csv', file)).toMatchObject({ code: 0, err: '' });

    const challenge = await signIn(app, 'bob');
    expect(challenge.status).toBe(401);
    for (const steps of [-1, 0])
      expect((await submit(app, challenge, codeAt(SEED, app.clock.now(), steps))).status).toBe(401);
    app.clock.advance(STEP);
    expect((await submit(app, challenge, codeAt(SEED, app.clock.now()))).status).toBe(200);
  });
});
