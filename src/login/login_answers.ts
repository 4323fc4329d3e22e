import type { HomeserverAnswer } from '../homeserver/homeserver.ts';
import { rebuildError } from '../homeserver/safe_error.ts';
import type { Answer } from '../http/answer.ts';
import { ownWellKnown } from '../matrix/well_known.ts';
import { isJsonObject, type JsonObject } from '../matrix/wire.ts';
import { relayBytes } from '../second_factor/relay.ts';

/** Turns homeserver answers to logins into ours. */
export class LoginAnswers {
  constructor(private readonly publicBaseUrl: string) {}

  /** The answer of a login that needed no second factor: the homeserver's own bytes, but for `well_known`. */
  granted(answer: HomeserverAnswer): Answer {
    const body = answer.json;
    if (body !== undefined && isJsonObject(body.well_known))
      return { status: 200, body: this.ownAddress(body) };
    return relayBytes(answer);
  }

  /** The answer of a login that was held for `heldMs`: its token lives that much shorter. */
  released(body: JsonObject, heldMs: number): Answer {
    const released = this.ownAddress(body);
    if (typeof released.expires_in_ms === 'number') {
      released.expires_in_ms = Math.max(0, Math.floor(released.expires_in_ms - heldMs));
    }
    return { status: 200, body: released };
  }

  /** A refusal of the homeserver, rebuilt from its known fields so that no token hides in it (R1). */
  refused(answer: HomeserverAnswer, sent: JsonObject): Answer {
    return rebuildError(answer, sent);
  }

  private ownAddress(body: JsonObject): JsonObject {
    if (!isJsonObject(body.well_known)) return { ...body };
    return { ...body, well_known: ownWellKnown(body.well_known, this.publicBaseUrl) };
  }
}
