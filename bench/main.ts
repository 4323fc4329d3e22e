/**
 * Measures, side by side in one run, and prints ratios: `npm run bench`, or `npm run bench -- NAME…` for some. With
 * `--against TREE`, a worktree of another commit, those that can compare with it. `--json FILE` writes the figures of those
 * that give them, a line for each.
 * Figures are for reading, never for a test: they are the machine's as much as ours.
 */
import { parseArgs } from 'node:util';
import { run as classifier } from './classifier.ts';
import { durableWritesTable, measureDurableWrites } from './durable_writes.ts';
import { run as egressGate } from './egress_gate.ts';
import { run as guardedPass } from './guarded_pass.ts';
import { run as hostileLoad } from './hostile_load.ts';
import { run as logins } from './logins.ts';
import { run as passChange } from './pass_change.ts';
import { run as passThrough } from './pass_through.ts';
import { measureRecoveryHash, recoveryHashTable } from './recovery_hash.ts';
import { run as signInChange } from './sign_in_change.ts';
import { run as statements } from './statements.ts';
import { build } from './support/built.ts';
import { type BenchResult, ResultFile } from './support/results.ts';
import { run as totpVerifications } from './totp_verifications.ts';

interface Bench {
  readonly name: string;
  readonly what: string;
  /**
   * @param against another tree of this project, to compare with
   * @param report is given the figures, where a bench has some for machines
   */
  readonly run: (
    against: string | undefined,
    report: (results: readonly BenchResult[]) => void,
  ) => Promise<void>;
}

const BENCHES: readonly Bench[] = [
  { name: 'classifier', what: 'what telling routes apart costs a request', run: classifier },
  { name: 'pass_through', what: 'passing requests through, beside nginx', run: passThrough },
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
    run: (_against, report) => hostileLoad(report),
  },
];

async function main(args: string[]): Promise<number> {
  const { positionals: names, values } = parseArgs({
    args,
    options: { against: { type: 'string' }, json: { type: 'string' } },
    allowPositionals: true,
  });
  const unknown = names.find((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown !== undefined) {
    console.error(`there is no bench ${unknown}; there are: ${BENCHES.map(({ name }) => name).join(', ')}`);
    return 2;
  }
  const file = values.json === undefined ? undefined : new ResultFile(values.json);
  build();
  for (const { name, what, run } of BENCHES.filter(
    (bench) => names.length === 0 || names.includes(bench.name),
  )) {
    console.log(`\n== ${name}: ${what}`);
    await run(values.against, (results) => file?.add(name, new Date(), results));
  }
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
