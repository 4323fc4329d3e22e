/** What clients of a storm saw: the auditor compares it with what the store and the homeserver say. */
export class Ledger {
  readonly faults: string[] = [];
  /** Access tokens that reached a client, by user. */
  private readonly handedOut = new Map<string, Set<string>>();
  /** How often a request of a user's was cut, or failed, so that a login may have been granted without an answer. */
  private readonly unanswered = new Map<string, number>();
  private readonly refused = new Map<string, number>();
  private readonly accepted = new Map<string, number>();
  private readonly acts = new Map<string, { done: number; not: number }>();

  fault(text: string): void {
    this.faults.push(text);
  }

  /** An act came to its end, or the weather was against it. */
  act(name: string, done: boolean): void {
    const counted = this.acts.get(name) ?? { done: 0, not: 0 };
    this.acts.set(name, { done: counted.done + (done ? 1 : 0), not: counted.not + (done ? 0 : 1) });
  }

  token(userId: string, token: string): void {
    const tokens = this.handedOut.get(userId) ?? new Set();
    this.handedOut.set(userId, tokens.add(token));
  }

  tokensOf(userId: string): ReadonlySet<string> {
    return this.handedOut.get(userId) ?? new Set();
  }

  cut(userId: string): void {
    add(this.unanswered, userId);
  }

  cutsOf(userId: string): number {
    return this.unanswered.get(userId) ?? 0;
  }

  /** A code was accepted in an answer that came. */
  codeAccepted(userId: string, code: string): void {
    const times = add(this.accepted, `${userId} ${code}`);
    if (times > 1) this.fault(`${userId}: the code ${code} was accepted ${times} times`);
  }

  /** A wrong code was looked at and refused. */
  wrongCodeRefused(userId: string): void {
    add(this.refused, userId);
  }

  get wrongCodesRefused(): ReadonlyMap<string, number> {
    return this.refused;
  }

  text(): string {
    return [...this.acts]
      .sort(([a], [b]) => a.localeCompare(b))
      .map(([name, { done, not }]) => `${name} ${done}${not > 0 ? ` (${not} not)` : ''}`)
      .join(', ');
  }

  /** How often an act came to its end. */
  done(name: string): number {
    return this.acts.get(name)?.done ?? 0;
  }
}

function add(counts: Map<string, number>, key: string): number {
  const count = (counts.get(key) ?? 0) + 1;
  counts.set(key, count);
  return count;
}
