/** `npm run fuzz -- [--minutes N] [--seed N] [--only NAME]`: every campaign in turn, for longer than the test suite does. */
import { existsSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Campaign, chosenSeed, type Outcome, outcomeText, runCampaign } from './campaign.ts';
import { CAMPAIGNS } from './campaigns.ts';

const SLICE_MS = 15_000;
const MINUTE = 60_000;

/** Databases of a second's life need no disk. */
const MEMORY = '/dev/shm';
if (process.env.TMPDIR === undefined && existsSync(MEMORY)) process.env.TMPDIR = MEMORY;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '10' },
    seed: { type: 'string' },
    only: { type: 'string', default: '' },
  },
});

process.exitCode = await fuzz(
  Number(values.minutes) * MINUTE,
  values.seed === undefined ? chosenSeed() : Number(values.seed),
  CAMPAIGNS.filter(({ name }) => name.includes(values.only)),
);

/** Slices of all campaigns in turn until the time is over: the exit code. */
async function fuzz(timeMs: number, seed: number, campaigns: readonly Campaign[]): Promise<number> {
  if (!(timeMs > 0) || !Number.isSafeInteger(seed) || campaigns.length === 0) {
    say('usage: npm run fuzz -- [--minutes N] [--seed N] [--only NAME]');
    return 2;
  }
  const begun = Date.now();
  const sliceMs = Math.min(SLICE_MS, timeMs / campaigns.length);
  const totals = new Map<string, Outcome>();
  say(`seed ${seed}; ${campaigns.length} campaigns for ${timeMs / MINUTE} minutes`);
  for (let slice = 0; Date.now() - begun < timeMs; slice++) {
    const campaign = campaigns[slice % campaigns.length] as Campaign;
    const sliceSeed = seed + slice * 10_000;
    const end = Date.now() + sliceMs;
    const outcome = await runCampaign(campaign, sliceSeed, () => Date.now() < end);
    say(`${secondsSince(begun)} s  ${campaign.name}, seed ${sliceSeed}: ${outcomeText(outcome)}`);
    if (outcome.found !== undefined) {
      say(`FOUND by ${campaign.name} with --seed ${sliceSeed}:\n${outcome.found}`);
      return 1;
    }
    totals.set(campaign.name, added(totals.get(campaign.name), outcome));
  }
  for (const [name, total] of totals) say(`${name}: ${outcomeText(total)}`);
  say(`nothing found in ${secondsSince(begun)} s, seed ${seed}`);
  return 0;
}

function added(before: Outcome | undefined, next: Outcome): Outcome {
  if (before === undefined) return next;
  const counts = { ...before.counts };
  for (const [name, count] of Object.entries(next.counts)) counts[name] = (counts[name] ?? 0) + count;
  return { runs: before.runs + next.runs, rounds: before.rounds + next.rounds, counts, found: undefined };
}

function secondsSince(begun: number): number {
  return Math.round((Date.now() - begun) / 1000);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
