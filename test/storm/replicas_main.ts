import { haproxyProgram } from '../support/haproxy.ts';
import { postgresPrograms } from '../support/postgres.ts';
import { TestDatabase } from '../support/test_database.ts';
import { type StormReport, stormOver } from './replica_storm.ts';
import { Replicas } from './replicas.ts';

const MINUTE = 60_000;
const OWNERS = 60;
const FAULTS_SHOWN = 20;

/**
 * `npm run storm -- --replicas`: one line a kill.
 * @returns the exit code
 */
export async function stormOverReplicas(minutes: number, say: (line: string) => void): Promise<number> {
  const [programs, haproxy] = [postgresPrograms(), haproxyProgram()];
  if (programs === undefined || haproxy === undefined) return 2;
  // Names the PostgreSQL server, which ends with this process.
  process.env.M2FA_TEST_RUN = String(process.pid);
  const database = await TestDatabase.make(programs);
  const replicas = await Replicas.start(
    { haproxy, database: database.url },
    { owners: OWNERS, recoveryCodes: 1 },
  );
  try {
    const end = Date.now() + minutes * MINUTE;
    const { faults, ...counts } = await stormOver(replicas, () => Date.now() > end, say);
    say(inWords(counts));
    for (const fault of faults.slice(0, FAULTS_SHOWN)) say(`- ${fault}`);
    return faults.length === 0 ? 0 : 1;
  } finally {
    await replicas.end();
    await database.drop();
  }
}

function inWords(counts: Omit<StormReport, 'faults'>): string {
  return [
    `${counts.kills} kills; ${counts.signIns} sign-ins, ${counts.atSecondTry} of them at the second try`,
    `${counts.granted} logins granted: ${counts.delivered} delivered, ${counts.loggedOut} logged out, ${counts.cutAfterRelease} cut after their release, ${counts.cutBeforeRecord} before they were on record`,
  ].join('; ');
}
