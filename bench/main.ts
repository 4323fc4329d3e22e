/**
 * Measures, side by side in one run, and prints ratios: `npm run bench`, or `npm run bench -- NAME…` for some. With
 * `--against TREE`, a worktree of another commit, those that can compare with it. `--json FILE` writes the figures of those
 * that give them, a line for each. `--seconds N` and `--rounds N` make the loads of those that have such longer or shorter.
 * Figures are for reading, never for a test: they are the machine's as much as ours.
 */
import { parseArgs } from 'node:util';
import { run as classifier } from './classifier.ts';
import { durableWritesTable, measureDurableWrites } from './durable_writes.ts';
import { run as egressGate } from './egress_gate.ts';
import { run as guardedPass } from './guarded_pass.ts';
import { run as hostileLoad } from './hostile_load.ts';
import { run as logins } from './logins.ts';
import { run as passBodies } from './pass_bodies.ts';
import { run as passChange } from './pass_change.ts';
import { run as passMemory } from './pass_memory.ts';
import { run as passThrough } from './pass_through.ts';
import { measureRecoveryHash, recoveryHashTable } from './recovery_hash.ts';
import { run as replicas } from './replicas.ts';
import { run as scale } from './scale.ts';
import { run as signInChange } from './sign_in_change.ts';
import { run as statements } from './statements.ts';
import { build } from './support/built.ts';
import { type BenchResult, type BenchRun, ResultFile } from './support/results.ts';
import { run as topologies } from './topologies.ts';
import { run as totpVerifications } from './totp_verifications.ts';

interface Bench {
  readonly name: string;
  readonly what: string;
  readonly run: (asked: BenchRun) => Promise<void>;
}

const BENCHES: readonly Bench[] = [
  { name: 'classifier', what: 'what telling routes apart costs a request', run: classifier },
  { name: 'pass_through', what: 'passing requests through, beside other proxies', run: passThrough },
  { name: 'pass_bodies', what: 'passing large bodies through, beside other proxies', run: passBodies },
  { name: 'pass_memory', what: 'what long polls and large bodies keep in memory', run: passMemory },
  { name: 'egress_gate', what: 'what looking at answers costs those that pass', run: egressGate },
  {
    name: 'guarded_pass',
    what: 'guarded requests of users without 2FA, beside the homeserver alone',
    run: guardedPass,
  },
  {
    name: 'sign_in_change',
    what: 'sign-ins beside another tree of this project',
    run: signInChange,
  },
  {
    name: 'pass_change',
    what: 'requests that are passed on, beside another tree of this project',
    run: passChange,
  },
  { name: 'statements', what: 'what requests ask of the store, counted', run: statements },
  { name: 'logins', what: 'what a second factor adds to a login at a real Synapse', run: logins },
  {
    name: 'totp_verifications',
    what: 'TOTP codes judged a second over HTTP, beside better-auth',
    run: totpVerifications,
  },
  { name: 'topologies', what: 'requests behind the shipped files of web servers', run: topologies },
  { name: 'replicas', what: 'sign-ins by one process and by two on one PostgreSQL', run: replicas },
  { name: 'scale', what: 'a million accounts, and a hundred thousand pending sessions', run: scale },
  {
    name: 'durable_writes',
    what: 'durable writes that share commits, beside single commits',
    run: async () => console.log(durableWritesTable(await measureDurableWrites())),
  },
  {
    name: 'recovery_hash',
    what: 'what guessing recovery codes costs others',
    run: async () => console.log(recoveryHashTable(await measureRecoveryHash())),
  },
  {
    name: 'hostile_load',
    what: 'what clients that mean harm cost other users',
    run: ({ report }) => hostileLoad(report),
  },
];

async function main(args: string[]): Promise<number> {
  const { positionals: names, values } = parseArgs({
    args,
    options: {
      against: { type: 'string' },
      json: { type: 'string' },
      seconds: { type: 'string' },
      rounds: { type: 'string' },
    },
    allowPositionals: true,
  });
  const unknown = names.find((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown !== undefined) {
    console.error(`there is no bench ${unknown}; there are: ${BENCHES.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const file = values.json === undefined ? undefined : new ResultFile(values.json);
  const [seconds, rounds] = [numberIn(values.seconds), numberIn(values.rounds)];
  build();
  for (const { name, what, run } of BENCHES.filter(
    (bench) => names.length === 0 || names.includes(bench.name),
  )) {
    console.log(`\n== ${name}: ${what}`);
    const report = (results: readonly BenchResult[]) => file?.add(name, new Date(), results);
    await run({ against: values.against, seconds, rounds, report });
  }
  return 0;
}

function numberIn(option: string | undefined): number | undefined {
  if (option === undefined) return undefined;
  const value = Number(option);
  if (!(value > 0)) throw new RangeError(`not a number above 0: ${option}`);
  return value;
}

process.exitCode = await main(process.argv.slice(2));
