/** What became of a code that a factor looked at. */
export type FactorResult = 'accepted' | 'wrong' | 'spent' | 'limited';

export interface FactorCheck {
  readonly factor: string;
  readonly result: FactorResult;
}

/**
 * What is noted about one request while it is answered; its line in the log and its counts are made of it. It travels
 * with the client's address (`ClientAddress.record`), so that all who know something of the request can note it.
 */
export class RequestRecord {
  /** Whose account it is about: only as the homeserver, a token or a session named it, never as it was typed. */
  userId: string | undefined;
  deviceId: string | undefined;
  /** It is of an application service that the operator listed, which acts for users of its own. */
  isOfService = false;
  /** A held login was given out by it. */
  hasTakenHold = false;
  /** How long the homeserver took, all questions of this request together; undefined if there was none. */
  upstreamMs: number | undefined;
  readonly checks: FactorCheck[] = [];

  /** @param id goes to the homeserver and to the client, and stands in the log */
  constructor(readonly id: string) {}

  /** The kind of the factor that was given last. */
  get factor(): string | undefined {
    return this.checks.at(-1)?.factor;
  }

  isOf(userId: string, deviceId: string | null): void {
    this.userId = userId;
    this.deviceId = deviceId ?? this.deviceId;
  }

  checked(factor: string, result: FactorResult): void {
    this.checks.push({ factor, result });
  }

  waited(ms: number): void {
    this.upstreamMs = (this.upstreamMs ?? 0) + ms;
  }
}
