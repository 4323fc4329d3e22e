import type { ProcessLog } from '../system/logger.ts';
import { FailureLogged } from './failures.ts';
import type { Surroundings } from './surroundings.ts';

/**
 * The last resort: an error that nothing handled leaves the process in a state that is not known, so it ends, as
 * after SIGTERM, and its supervisor starts it again. Any such error is a mistake in this program.
 *
 * @returns a promise that only ever rejects
 * @throws FailureLogged
 */
export async function untilBroken({ untilFault }: Surroundings, log: ProcessLog): Promise<never> {
  const { error } = await untilFault();
  log.fatal({ err: error }, 'An error that nothing handled: this process ends and has to be started again');
  throw new FailureLogged('an error that nothing handled', { cause: error });
}
