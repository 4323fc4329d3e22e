import type { PersonalityName } from '../support/stub/personality.ts';
import { describeAnswer, measuredOn, misfits, type Probe, type ProbedHomeserver } from './probe.ts';

/** What a probe saw where that is not what was measured before. */
export interface Deviation {
  readonly probe: string;
  readonly measured: string;
  readonly seen: string;
}

/** Makes each experiment once, one after the other; `report` is told of each as it ends. */
export async function runProbes(
  homeserver: ProbedHomeserver,
  family: PersonalityName,
  probes: readonly Probe[],
  report: (deviation: Deviation) => void,
): Promise<number> {
  let deviations = 0;
  for (const probe of probes) {
    const measured = measuredOn(family, probe.measured);
    const seen = await seenBy(probe, homeserver, measured);
    if (seen === undefined) continue;
    deviations += 1;
    report({ probe: probe.name, measured, seen });
  }
  return deviations;
}

/** Undefined: as it was measured. */
async function seenBy(
  probe: Probe,
  homeserver: ProbedHomeserver,
  measured: string,
): Promise<string | undefined> {
  try {
    const answers = await probe.run(homeserver);
    if (misfits(measured, answers).length === 0) return undefined;
    return answers.map((answer) => describeAnswer(answer).join(' ')).join('; ');
  } catch (error) {
    return `an error: ${error instanceof Error ? error.message : String(error)}`;
  }
}
