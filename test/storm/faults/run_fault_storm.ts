import { postgresPrograms } from '../../support/postgres.ts';
import { kindsOfLines } from '../clear_log.ts';
import { FaultStorm, type StormReport } from './fault_storm.ts';
import { postgresGround, sqliteGround } from './ground.ts';
import { World } from './world.ts';

const MINUTE = 60_000;
/** A round takes some seconds: so many newcomers are enough for one that lasts an hour. */
const PEOPLE = { owners: 8, recoveryCodes: 12, guests: 2, newcomers: 20_000 };
const FAULTS_SHOWN = 40;

/**
 * `npm run storm -- --faults [--postgres] [--seed TEXT]`: a line a round.
 * @returns the exit code
 */
export async function stormOfFaults(
  {
    minutes,
    seed,
    postgres,
  }: { readonly minutes: number; readonly seed: string; readonly postgres: boolean },
  say: (line: string) => void,
): Promise<number> {
  const programs = postgres ? postgresPrograms() : undefined;
  if (postgres && programs === undefined) return 2;
  // Names the PostgreSQL server, which ends with this process.
  process.env.M2FA_TEST_RUN = String(process.pid);
  const ground = programs === undefined ? sqliteGround() : await postgresGround(programs);
  const world = await World.start(ground, PEOPLE);
  const end = Date.now() + minutes * MINUTE;
  say(`seed ${seed}, on ${postgres ? 'PostgreSQL' : 'SQLite'}`);
  try {
    const options = { seed, goesOn: () => Date.now() < end, spell: [500, 3_000] as const, say };
    const report = await new FaultStorm(world, options).run();
    for (const line of inWords(report, world.log)) say(line);
    return report.ledger.faults.length === 0 ? 0 : 1;
  } finally {
    await world.end();
  }
}

function inWords({ rounds, struck, signIns, memoryMib, ledger }: StormReport, log: string): string[] {
  const { faults } = ledger;
  return [
    `${rounds} rounds: ${[...struck].map(([name, times]) => `${name} ${times}`).join(', ')}`,
    `done: ${ledger.text()}`,
    `the auditor signed owners in ${signIns.first + signIns.second} times, ${signIns.second} of them at the second try`,
    `memory: ${memoryMib.warm} MiB after the first rounds, ${memoryMib.last} MiB at the end`,
    `log: ${[...kindsOfLines(log)].map(([kind, times]) => `${kind} ×${times}`).join(', ')}`,
    faults.length === 0 ? 'nothing was found' : `${faults.length} faults:`,
    ...faults.slice(0, FAULTS_SHOWN).map((fault) => `- ${fault}`),
  ];
}
