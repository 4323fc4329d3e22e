import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import '../support/full_argon2.ts';
import { haproxyProgram } from '../support/haproxy.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';
import { stormOver } from './replica_storm.ts';
import { Replicas } from './replicas.ts';

const OWNERS = 8;
const KILLS = 2;
const FAULTS_SHOWN = 10;

const programs = postgresPrograms();
const haproxy = haproxyProgram();
const suite = programs === undefined || haproxy === undefined ? describe.skip : describe;

suite('two replicas behind HAProxy, killed in turn in a storm of sign-ins', () => {
  let database: TestDatabase;
  let replicas: Replicas;

  beforeAll(async () => {
    database = await TestDatabase.make(programs);
    const people = { owners: OWNERS, recoveryCodes: 3 };
    replicas = await Replicas.start({ haproxy: haproxy ?? '', database: database.url }, people);
  });

  afterAll(async () => {
    await replicas.end();
    await database.drop();
  });

  test('owners are in within two tries, no code is good twice, and no login is left but those cut on their way', async () => {
    const { faults, granted, loggedOut, ...counts } = await stormOver(replicas, (kills) => kills === KILLS);
    expect(faults.slice(0, FAULTS_SHOWN)).toEqual([]);
    expect(counts.signIns).toBeGreaterThanOrEqual(OWNERS);
    expect(counts.delivered).toBeGreaterThan(0);
    const loggedOutUpstream = replicas.stub.requestsTo('logout').filter(({ status }) => status === 200);
    expect(loggedOutUpstream).toHaveLength(loggedOut);
    expect(counts.delivered + loggedOut + counts.cutAfterRelease + counts.cutBeforeRecord).toBe(granted);
  });
});
