import type { ClientAddress } from '../http/client_request.ts';
import type { Grant } from '../second_factor/grant.ts';
import type { Write } from '../storage/statement.ts';
import type { RecoveryRequest } from '../storage/tables/recovery_requests.ts';

/** When those are told whom a request tells. */
export type Occasion = 'begun' | 'repeated' | 'tomorrow' | 'used' | 'opened' | 'ended';

/** Who begins a recovery: their password was right, and its login is closed. */
export interface RecoveringUser {
  readonly userId: string;
  readonly grant: Grant;
  readonly client: ClientAddress;
}

/** One who was told, as the person who began it may see them: an address is shown in part only. */
export interface ShownRecipient {
  readonly channel: string;
  readonly address: string;
}

/** Which request it is. */
export type RecoveryName = Pick<RecoveryRequest, 'id' | 'userId'>;

/** Whom a request tells: they are fixed when it is begun, and told at each occasion. */
export interface RecoveryTelling {
  /** What fixes the list, in the unit that begins it. The homeserver may be asked before. @throws Refusal */
  fixed(user: RecoveringUser, request: RecoveryName): Promise<Write>;
  /** What tells them, in the unit of what they are told of. */
  tell(request: RecoveryName, occasion: Occasion): Write;
  shown(request: RecoveryName): Promise<readonly ShownRecipient[]>;
}
