import { oddLines } from './clear_log.ts';

const SHOWN = 5;

/** Counts what happened, and keeps what should not have. */
export class Tally {
  private owners = { tries: 0, first: 0, second: 0, out: [] as string[] };
  private guests = { served: 0, not: [] as string[] };
  private stolenFrom: string[] = [];
  private readLines = 0;
  private oddLines: string[] = [];

  owner(inAtFirst: boolean, inAtSecond: boolean, told: string): void {
    this.owners.tries += 1;
    if (inAtFirst) this.owners.first += 1;
    else if (inAtSecond) this.owners.second += 1;
    else this.owners.out.push(told);
  }

  guest(served: boolean, told: string): void {
    if (served) this.guests.served += 1;
    else this.guests.not.push(told);
  }

  stolen(userId: string): void {
    this.stolenFrom.push(userId);
  }

  /** @param log all that was written so far */
  readLog(log: string): void {
    const lines = log.split('\n').slice(0, -1);
    this.oddLines.push(...oddLines(lines.slice(this.readLines).join('\n')));
    this.readLines = lines.length;
  }

  get faults(): string[] {
    return [
      ...this.owners.out.map((told) => `an owner was kept out: ${told}`),
      ...this.guests.not.map((told) => `a guest was not served: ${told}`),
      ...this.stolenFrom.map((userId) => `a wrong code signed in as ${userId}`),
      ...this.oddLines.map((line) => `an unexpected log line: ${line}`),
    ];
  }

  text(): string {
    const { tries, first, second, out } = this.owners;
    return [
      `owners in ${first + second} of ${tries} (${second} at their second try, ${out.length} kept out)`,
      `guests served ${this.guests.served}, not ${this.guests.not.length}`,
      `log lines ${this.readLines}, unexpected ${this.oddLines.length}`,
    ].join('; ');
  }

  firstFaults(): string {
    return this.faults.slice(0, SHOWN).join('\n');
  }
}
