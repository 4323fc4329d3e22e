import { randomInt } from 'node:crypto';
import fc from 'fast-check';

/** One kind of fuzzing: what it needs, and the property that must hold whatever is thrown at it. */
export interface Campaign {
  readonly name: string;
  /** How many inputs one world is good for: about a second's worth. */
  readonly runsPerWorld: number;
  /** Starts what the property runs against. `round` counts the worlds. */
  begin(round: number): Promise<World>;
}

/** What one round of a campaign runs against. */
export interface World {
  readonly property: fc.IRawProperty<unknown>;
  /** What was done, in words of the campaign: an input that never gets anywhere shows here. */
  readonly counts: Readonly<Record<string, number>>;
  end(): Promise<void>;
}

export interface Outcome {
  runs: number;
  rounds: number;
  readonly counts: Record<string, number>;
  /** Seed, path and smallest counterexample; undefined if nothing was found. */
  found: string | undefined;
}

/** How long a round may last with the shrinking of what it found, in ms. */
const LONGEST_ROUND_MS = 60_000;

/** The seed of the test suite, so that a run can be repeated. `npm run fuzz` takes a random one and searches on. */
const SUITE_SEED = 20_261_128;

/** The seed given by `FUZZ_SEED`, or a random one. */
export function chosenSeed(): number {
  return givenSeed() ?? randomInt(1, 2 ** 30);
}

function givenSeed(): number | undefined {
  const given = Number(process.env.FUZZ_SEED);
  return Number.isSafeInteger(given) && given > 0 ? given : undefined;
}

/**
 * Throws inputs at a campaign while `goesOn` says so and none of them breaks it, in a fresh world every round.
 * Round n has the seed `seed + n`, so that it can be run again by itself.
 */
export async function runCampaign(
  campaign: Campaign,
  seed: number,
  goesOn: (roundsDone: number) => boolean,
): Promise<Outcome> {
  const outcome: Outcome = { runs: 0, rounds: 0, counts: {}, found: undefined };
  while (outcome.found === undefined && goesOn(outcome.rounds)) {
    await runRound(campaign, seed + outcome.rounds, outcome);
  }
  return outcome;
}

async function runRound(campaign: Campaign, seed: number, outcome: Outcome): Promise<void> {
  const world = await campaign.begin(outcome.rounds);
  try {
    const details = await fc.check(world.property, {
      seed,
      numRuns: campaign.runsPerWorld,
      plugins: [fc.interruptAfterTimeLimit(LONGEST_ROUND_MS)],
    });
    outcome.rounds++;
    outcome.runs += details.numRuns;
    if (details.failed) outcome.found = await report(details);
    for (const [name, count] of Object.entries(world.counts)) {
      outcome.counts[name] = (outcome.counts[name] ?? 0) + count;
    }
  } finally {
    await world.end();
  }
}

async function report(details: fc.RunDetails<unknown>): Promise<string> {
  const { errorInstance: cause } = details;
  const why = cause instanceof Error ? cause.message : String(cause);
  return `${why}\n${await fc.asyncDefaultReportMessage(details)}`;
}

/** For the test suite: the same inputs each time, unless `FUZZ_SEED` names others. */
export async function expectNothingFound(campaign: Campaign, rounds: number): Promise<Outcome> {
  const seed = givenSeed() ?? SUITE_SEED;
  const outcome = await runCampaign(campaign, seed, (done) => done < rounds);
  process.stdout.write(`fuzz ${campaign.name}: seed ${seed}, ${outcomeText(outcome)}\n`);
  if (outcome.found !== undefined) throw new Error(`${campaign.name}, seed ${seed}: ${outcome.found}`);
  return outcome;
}

export function outcomeText({ runs, rounds, counts }: Outcome): string {
  const done = Object.entries(counts).map(([name, count]) => `${name} ${count}`);
  return [`${runs} inputs in ${rounds} rounds`, ...done].join(', ');
}
