import { setTimeout as pause } from 'node:timers/promises';
import { Auditor } from './auditor.ts';
import { CodeBook } from './code_book.ts';
import { Dice } from './dice.ts';
import { faultsOf } from './faults.ts';
import { auditAfterwards } from './last_audit.ts';
import { Ledger } from './ledger.ts';
import { signInApp } from './oauth_act.ts';
import {
  type Enrolment,
  guestComes,
  newcomerEnrols,
  operatorActs,
  thiefComes,
  vandalComes,
} from './other_acts.ts';
import {
  type Act,
  removeDevice,
  renewCodes,
  requestRecovery,
  signIn,
  signInOnPage,
  useDevicePassword,
} from './owner_acts.ts';
import type { Owner, Storm } from './storm_client.ts';
import type { World } from './world.ts';

/** Codes that an owner keeps for the auditor. */
const KEPT_CODES = 2;
/** With fewer recovery codes an owner gets new ones. */
const FEW_CODES = 4;
/** Memory may grow by so much over what it was after the first rounds, in MiB. */
const MEMORY_SLACK = 128;
/** So long everybody may finish what they are about; then connections are aborted. */
const LEAVE_MS = 2_000;
const WARM_ROUNDS = 5;
/** What owners do, besides what everybody does: the first two keep no logins but their own. */
const PLAIN_ACTS: readonly [string, Act][] = [
  ['sign-ins', signIn],
  ['guarded calls', removeDevice],
  ['page sign-ins', signInOnPage],
  ['recovery requests', requestRecovery],
];
const KEEPING_ACTS: readonly [string, Act][] = [
  ['device passwords', useDevicePassword],
  ['OAuth sessions', signInApp],
];

export interface StormOptions {
  readonly seed: string;
  /** Whether to go on, after so many rounds. */
  readonly goesOn: (rounds: number) => boolean;
  /** How long the weather stays as it is, in ms: the least and the most. */
  readonly spell: readonly [number, number];
  readonly say?: (line: string) => void;
}

export interface StormReport {
  readonly rounds: number;
  readonly struck: ReadonlyMap<string, number>;
  readonly signIns: { readonly first: number; readonly second: number };
  readonly memoryMib: { readonly warm: number; readonly last: number };
  readonly ledger: Ledger;
}

/** Everybody acts while something breaks and is mended; then they pause, and the auditor looks at everything. */
export class FaultStorm {
  private readonly ledger = new Ledger();
  private readonly storm: Storm;
  private readonly owners: readonly Owner[];
  private readonly enrolments: Enrolment[] = [];
  private readonly auditor: Auditor;
  private readonly struck = new Map<string, number>();
  private newcomers = 0;
  private warmMib = 0;

  constructor(
    private readonly world: World,
    private readonly options: StormOptions,
  ) {
    const dice = new Dice(options.seed);
    this.storm = {
      world,
      ledger: this.ledger,
      dice: dice.of('people'),
      isCalm: true,
      leave: new AbortController().signal,
      now: 'at first',
    };
    this.owners = world.owners.map((enrolled, number) => {
      const name = enrolled.userId.slice(1, enrolled.userId.indexOf(':'));
      const phone = world.stub.signIn(name).token;
      this.ledger.token(enrolled.userId, phone);
      return { enrolled, name, phone, address: `203.0.113.${number + 1}`, book: new CodeBook(enrolled) };
    });
    this.auditor = new Auditor(this.storm, this.owners, this.enrolments);
  }

  async run(): Promise<StormReport> {
    const { goesOn, say = () => undefined, seed } = this.options;
    const dice = new Dice(seed).of('weather');
    const faults = Object.entries(faultsOf(this.world, dice.of('homeserver')));
    await this.rehearse();
    let order: typeof faults = [];
    let rounds = 0;
    for (; goesOn(rounds); rounds += 1) {
      // Each fault comes once before any comes again.
      if (order.length === 0) order = dice.shuffle(faults);
      const [name, strike] = order.shift() ?? ['nothing', async () => () => undefined];
      this.storm.now = `round ${rounds + 1}, ${name}`;
      this.struck.set(name, (this.struck.get(name) ?? 0) + 1);
      const [before, begun] = [this.ledger.faults.length, Date.now()];
      await this.round(strike, dice);
      this.watchMemory(rounds);
      const found = this.ledger.faults.slice(before);
      say(
        `${this.storm.now}: ${Math.round((Date.now() - begun) / 1000)} s, ${this.world.residentMib()} MiB${found.length > 0 ? `; ${found.join('; ')}` : ''}`,
      );
    }
    await this.finish();
    const last = this.lastMib;
    const { signIns } = this.auditor;
    return {
      rounds,
      struck: this.struck,
      signIns,
      memoryMib: { warm: this.warmMib, last },
      ledger: this.ledger,
    };
  }

  private lastMib = 0;

  /** Before anything breaks everybody does what they will do, each once: it must come to its end. */
  private async rehearse(): Promise<void> {
    const [owner, ...others] = this.owners;
    if (owner === undefined) return;
    const dice = this.storm.dice.of('rehearsal');
    const acts = [...PLAIN_ACTS, ...KEEPING_ACTS].map(
      ([name, act], at) => [name, () => act(this.storm, others[at % others.length] ?? owner)] as const,
    );
    const more = [
      ['guests', () => guestComes(this.storm, 0)],
      ['thieves', () => thiefComes(this.storm, owner, dice)],
      ['enrolments', () => this.newcomer()],
      ['policy changes', () => operatorActs(this.storm, owner, dice)],
    ] as const;
    // At home a thief elsewhere keeps nobody waiting, but home is where a factor was accepted before.
    const atHome = this.owners.map((each) => ['sign-ins', () => signIn(this.storm, each)] as const);
    for (const [name, act] of [...atHome, ...acts, ...more]) {
      const done = await act();
      this.ledger.act(name, done);
      if (!done) this.ledger.fault(`${this.storm.now}: ${name} came to no end`);
    }
  }

  private async round(strike: () => Promise<() => Promise<void> | void>, dice: Dice): Promise<void> {
    const [over, leave] = [new AbortController(), new AbortController()];
    this.storm.leave = leave.signal;
    const [least, most] = this.options.spell;
    this.storm.isCalm = false;
    const lives = this.everybody(over.signal);
    await pause(dice.between(least, most));
    const heal = await strike();
    await pause(dice.between(least, most));
    await heal();
    await pause(dice.between(least, most));
    over.abort();
    await Promise.race([Promise.all(lives), pause(LEAVE_MS, undefined, { ref: false })]);
    leave.abort();
    await Promise.all(lives);
    this.storm.isCalm = true;
    await this.auditor.audit();
    await Promise.all(this.owners.map((owner) => this.provide(owner)));
    this.world.stub.clear();
  }

  /** Who has few recovery codes left gets new ones; it takes a code of the authenticator, and leaves one. */
  private async provide(owner: Owner): Promise<void> {
    const { book } = owner;
    if (book.recoveryCodes < FEW_CODES && book.countTotp(Date.now()) > 0) await renewCodes(this.storm, owner);
  }

  private everybody(over: AbortSignal): Promise<void>[] {
    const { storm } = this;
    const live = async (name: string, restMs: number, act: (dice: Dice) => Promise<boolean>) => {
      const dice = storm.dice.of(`${storm.now} ${name}`);
      while (!over.aborted) {
        const kind = name.replace(/ \d+$/, '');
        this.ledger.act(kind, await act(dice));
        await pause(dice.between(0, restMs));
      }
    };
    const owner = (dice: Dice) => dice.pick(this.owners as [Owner, ...Owner[]]);
    return [
      ...this.owners.map((each, number) => this.ownerLives(each, number, over)),
      ...[0, 1].map((number) => live(`guests ${number}`, 400, () => guestComes(storm, number))),
      ...[0, 1].map((number) =>
        live(`thieves ${number}`, 600, (dice) => thiefComes(storm, owner(dice), dice)),
      ),
      ...[0, 1].map((number) => live(`vandals ${number}`, 200, (dice) => vandalComes(storm, dice))),
      live('enrolments', 1_500, () => this.newcomer()),
      live('policy changes', 6_000, (dice) => operatorActs(storm, owner(dice), dice)),
    ];
  }

  private async ownerLives(owner: Owner, number: number, over: AbortSignal): Promise<void> {
    const dice = this.storm.dice.of(`${this.storm.now} ${owner.name}`);
    const acts = number % 2 === 0 ? PLAIN_ACTS : [...PLAIN_ACTS, ...KEEPING_ACTS];
    while (!over.aborted) {
      await pause(dice.between(0, 1_000));
      if (over.aborted || owner.book.count(Date.now()) <= KEPT_CODES) continue;
      const [name, act] = dice.pick(acts as [[string, Act], ...[string, Act][]]);
      this.ledger.act(name, await act(this.storm, owner));
    }
  }

  private async newcomer(): Promise<boolean> {
    const enrolment = await newcomerEnrols(this.storm, this.newcomers);
    this.newcomers += 1;
    this.enrolments.push(enrolment);
    return enrolment.outcome === 'on';
  }

  private watchMemory(round: number): void {
    this.lastMib = this.world.residentMib();
    if (round < WARM_ROUNDS) this.warmMib = Math.max(this.warmMib, this.lastMib);
    else if (this.lastMib > this.warmMib + MEMORY_SLACK)
      this.ledger.fault(`${this.storm.now}: memory is not level: ${this.warmMib} MiB, then ${this.lastMib}`);
  }

  private async finish(): Promise<void> {
    this.storm.now = 'afterwards';
    await this.auditor.audit();
    await auditAfterwards(
      this.storm,
      this.owners.filter((_, number) => number % 2 === 0),
    );
  }
}
