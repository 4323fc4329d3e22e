/** Sign-ins on their way to the homeserver, whatever the door: equal ones wait for the first (R12). */
export class EqualSignIns {
  /** By join key. */
  private readonly underWay = new Map<string, Promise<unknown>>();

  /**
   * Asks the homeserver, unless an equal sign-in does so just now: then what that one leaves is joined.
   *
   * @param key equal for equal sign-ins only
   * @param join what an equal sign-in has left to join; undefined if nothing
   */
  async inTurn<T>(key: string, join: () => Promise<T | undefined>, ask: () => Promise<T>): Promise<T> {
    for (let before = this.underWay.get(key); before !== undefined; before = this.underWay.get(key)) {
      await before.catch(() => undefined);
      const joined = await join();
      if (joined !== undefined) return joined;
    }
    const asked = ask();
    this.underWay.set(key, asked);
    try {
      return await asked;
    } finally {
      if (this.underWay.get(key) === asked) this.underWay.delete(key);
    }
  }
}
