import { createHash } from 'node:crypto';

/** Chance from a seed: the same choices in the same order, so that what a storm found can be tried again. */
export class Dice {
  private state: number;

  constructor(private readonly seed: string) {
    this.state = createHash('sha256').update(seed).digest().readUInt32LE();
  }

  /** Dice of somebody's own: what one person does is not changed by how fast the others are. */
  of(name: string): Dice {
    return new Dice(`${this.seed}/${name}`);
  }

  /** From 0 up to 1, by mulberry32 (https://gist.github.com/tommyettinger/46a874533244883189143505d203312c). */
  roll(): number {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  between(least: number, most: number): number {
    return least + this.roll() * (most - least);
  }

  pick<T>(list: readonly [T, ...T[]]): T {
    return list[Math.floor(this.roll() * list.length)] ?? list[0];
  }

  shuffle<T>(list: readonly T[]): T[] {
    return list
      .map((each) => ({ each, at: this.roll() }))
      .sort((a, b) => a.at - b.at)
      .map(({ each }) => each);
  }
}
