/**
 * The processor time of this process that `work` takes, in ms: the least of `tries`, so that neither a busy machine
 * nor a first run that is not compiled yet counts.
 */
export async function cpuCostMs(work: () => unknown, tries = 5): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let turn = 0; turn < tries; turn += 1) {
    const before = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

/** How often a cost over its budget is measured again before it is believed. */
const ROUNDS = 5;

/**
 * By how many ms `work` costs more than `calm`, 0 if less: the least of some rounds, of which the first that stays
 * within `budgetMs` ends the matter.
 */
export async function extraCostMs(
  work: () => unknown,
  calm: () => unknown,
  budgetMs: number,
  tries = 5,
): Promise<number> {
  let least = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS && least > budgetMs; round += 1) {
    const calmCost = await cpuCostMs(calm, tries);
    least = Math.min(least, Math.max(0, (await cpuCostMs(work, tries)) - calmCost));
  }
  return least;
}
