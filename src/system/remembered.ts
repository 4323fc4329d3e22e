import type { Clock } from './clock.ts';

/** What is known for a while, in the memory of this process; beyond `most` the oldest is forgotten. */
export class Remembered {
  /** When each is forgotten, the oldest first. */
  private readonly known = new Map<string, number>();

  constructor(
    private readonly clock: Clock,
    private readonly lifeMs: number,
    private readonly most: number,
  ) {}

  has(key: string): boolean {
    const end = this.known.get(key);
    if (end === undefined) return false;
    // A clock that was set back does not make it longer.
    const left = end - this.clock.now();
    if (left > 0 && left <= this.lifeMs) return true;
    this.known.delete(key);
    return false;
  }

  forget(key: string): void {
    this.known.delete(key);
  }

  add(key: string): void {
    this.known.delete(key);
    this.known.set(key, this.clock.now() + this.lifeMs);
    if (this.known.size <= this.most) return;
    const [oldest] = this.known.keys();
    if (oldest !== undefined) this.known.delete(oldest);
  }
}
