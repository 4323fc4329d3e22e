import { mutatedBodies } from './bodies.ts';
import type { Campaign } from './campaign.ts';
import { costs } from './costs.ts';
import { uiaSequences } from './sequences.ts';
import { classifiedTargets, sentTargets } from './targets.ts';
import { wireFormats } from './wire.ts';

export const CAMPAIGNS: readonly Campaign[] = [
  classifiedTargets,
  sentTargets,
  mutatedBodies,
  wireFormats,
  uiaSequences,
  costs(),
];
