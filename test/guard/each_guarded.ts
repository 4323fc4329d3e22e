/** Suites whose tests each have an application with guarded endpoints of their own. */
import { afterEach, beforeEach, describe } from '@jest/globals';
import type { PersonalityName } from '../support/stub/personality.ts';
import { type GuardedApp, PERSONALITIES, startGuarded } from './guarded.ts';

/** The application of the test that runs. */
export let it: GuardedApp;

/** A suite before each personality of the stub. */
export function describeGuarded(
  tests: (personality: PersonalityName) => void,
  personalities: readonly PersonalityName[] = PERSONALITIES,
): void {
  describe.each(personalities)('before %s', (personality) => {
    beforeEach(async () => {
      it = await startGuarded({ personality });
    });
    afterEach(() => it.app.stop());
    tests(personality);
  });
}
