import { AdminDoor, type AskedAdmin } from '../admin/admin_door.ts';
import { adminHandlers } from '../admin/handlers.ts';
import { Once } from '../admin/once.ts';
import { recoveryHandlers } from '../admin/recovery_handlers.ts';
import { AdminTokens } from '../admin/token_file.ts';
import { factorSettings } from '../factors/list.ts';
import { logRequest } from '../gateway/request_log.ts';
import { RequestRecord } from '../http/request_record.ts';
import { sendAnswer } from '../http/send_answer.ts';
import { outcomeOfStatus } from '../matrix/outcome.ts';
import { systemTicks } from '../system/clock.ts';
import { systemPause } from '../system/pause.ts';
import { randomId } from '../system/random.ts';
import type { Foundations } from './compose/foundations.ts';
import type { Services } from './compose.ts';
import { SideListener } from './side_listener.ts';

/** The listener of the admin API, apart from where clients come in. */
export function adminListener(
  foundations: Foundations,
  { audit, hasher, recoveryEndings, devicePasswordEnds }: Services,
): SideListener {
  const { config, storage, vault, random, clock, machineClock, mark, log } = foundations;
  const { enabled, claimWindowMs } = config.accountRecovery;
  const recovery = { vault, clock, random, hasher };
  const door = new AdminDoor({
    tokens: new AdminTokens(config.admin.tokensFile, machineClock),
    handlers: adminHandlers({
      ...{ storage, audit, recovery, machineClock, mark, totp: factorSettings(config).totp },
      policyNow: () => config.policy,
      endingRecovery: (userId, by) => recoveryEndings.byReset(userId, by),
      endingDevicePasswords: (userId, by) => devicePasswordEnds.endingAll(userId, 'reset', by),
      recoveries: enabled
        ? recoveryHandlers({ storage, endings: recoveryEndings, claimWindowMs })
        : undefined,
    }),
    once: new Once({ storage, vault, random, pause: systemPause }),
    audit,
    storage,
    clock: machineClock,
    log,
  });
  return new SideListener(async (request, response) => {
    const begunAt = systemTicks();
    const record = new RequestRecord(randomId(random));
    const asking: AskedAdmin = { client: { ip: request.socket.remoteAddress ?? '', record } };
    const answer = await door.answer(request, asking);
    const { client, route: id, token } = asking;
    logRequest(log, {
      ...{ client, record, begunAt, method: request.method ?? '', status: answer.status },
      actor: token && `admin:${token}`,
      route: id && { id, door: 'admin' },
      outcome: answer.outcome ?? outcomeOfStatus(answer.status),
      ms: systemTicks() - begunAt,
    });
    sendAnswer(response, answer, record.id);
  });
}
