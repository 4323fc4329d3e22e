import { AdminDoor } from '../admin/admin_door.ts';
import { adminHandlers } from '../admin/handlers.ts';
import { Once } from '../admin/once.ts';
import { AdminTokens } from '../admin/token_file.ts';
import { sendAnswer } from '../http/send_answer.ts';
import { systemPause } from '../system/pause.ts';
import type { Foundations, Services } from './compose.ts';
import { SideListener } from './side_listener.ts';

/** The listener of the admin API, apart from where clients come in. */
export function adminListener(foundations: Foundations, { audit, hasher, totp }: Services): SideListener {
  const { config, storage, vault, random, clock, machineClock, mark, log } = foundations;
  const recovery = { vault, clock, random, hasher };
  const door = new AdminDoor({
    tokens: new AdminTokens(config.admin.tokensFile, machineClock),
    handlers: adminHandlers({
      ...{ storage, audit, recovery, totp, machineClock, mark },
      policyNow: () => config.policy,
    }),
    once: new Once({ storage, vault, random, pause: systemPause }),
    audit,
    storage,
    clock: machineClock,
    log,
  });
  return new SideListener(async (request, response) => sendAnswer(response, await door.answer(request)));
}
