import { describe, expect, test } from '@jest/globals';
import type { LeftInLine, LineLeases, LineOutcome } from '../../src/login/line_leases.ts';
import { SignInLine, type StandingInLine } from '../../src/login/sign_in_line.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
import { silentLog } from '../../src/system/log.ts';
import { systemRandom } from '../../src/system/random.ts';

/** The leases of two processes, as the store keeps them; time stands still. */
class SharedLeases implements LineLeases {
  readonly rows = new Map<string, { holder: string; taken: boolean; left: LeftInLine | undefined }>();

  async take(line: string, holder: string): Promise<string | undefined> {
    const row = this.rows.get(line);
    if (row?.taken) return row.holder;
    this.rows.set(line, { holder, taken: true, left: undefined });
    return undefined;
  }

  async leave(line: string, holder: string, left: LeftInLine | undefined): Promise<void> {
    const row = this.rows.get(line);
    if (row?.holder === holder) this.rows.set(line, { holder, taken: false, left });
  }

  async look(line: string, holder: string) {
    const row = this.rows.get(line);
    if (row?.holder === holder && row.taken) return { is: 'under_way' } as const;
    return { is: 'over', left: row?.holder === holder ? row.left : undefined } as const;
  }
}

/** What waits for the end of a lease; short pauses are over in the next turn. */
let longPauses: (() => void)[] = [];

function processOn(leases: LineLeases): SignInLine {
  const pause = (ms: number) =>
    new Promise<void>((resolve) => {
      if (ms < 1000) setImmediate(resolve);
      else longPauses.push(resolve);
    });
  const processes = { isAlone: async () => false };
  return new SignInLine({ leases, processes, random: systemRandom, pause, log: silentLog });
}

/** A homeserver that answers when it is told to, and what it has granted. */
class Homeserver {
  asked = 0;
  held: string | undefined;
  private answer: (outcome: LineOutcome | Error) => void = () => undefined;
  private answered = new Promise<LineOutcome | Error>((resolve) => {
    this.answer = resolve;
  });

  says(outcome: LineOutcome | Error): void {
    this.answer(outcome);
  }

  signIn(exact = 'right', lines = ['bob']): StandingInLine<string> {
    return {
      key: { lines, exact: [exact] },
      join: async () => this.held && `joined ${this.held}`,
      ask: async () => {
        this.asked += 1;
        const name = `login ${this.asked}`;
        const outcome = await this.answered;
        if (outcome instanceof Error) throw outcome;
        if (outcome.is === 'held') this.held = name;
        return { answer: `${outcome.is} ${name}`, outcome };
      },
      refuse: (outcome) => {
        if (outcome.is === 'failed') throw new Refusal(outcome.refusal);
        return `heard ${outcome.is}`;
      },
    };
  }
}

const REFUSED: LineOutcome = {
  is: 'refused',
  status: 403,
  json: { errcode: 'M_FORBIDDEN' },
  retryAfter: null,
};

async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

describe.each([1, 2])('%i processes', (count) => {
  function start() {
    const leases = new SharedLeases();
    const processes = Array.from({ length: count }, () => processOn(leases));
    const homeserver = new Homeserver();
    const ask = (turn: number, exact?: string, lines?: string[]) =>
      (processes[turn % count] as SignInLine).ask(homeserver.signIn(exact, lines));
    return { homeserver, ask, leases };
  }

  test('equal sign-ins at one moment make one login, which the others join', async () => {
    const { homeserver, ask } = start();
    const answers = Promise.all(Array.from({ length: 20 }, (_, turn) => ask(turn)));
    await settle();
    homeserver.says({ is: 'held' });
    expect(new Set(await answers)).toEqual(new Set(['held login 1', 'joined login 1']));
    expect(homeserver.asked).toBe(1);
  });

  test('attack 169: equal sign-ins make one login while the active key changes', async () => {
    const { homeserver, ask, leases } = start();
    const before = ['old'];
    const meanwhile = ['new', 'old'];
    const after = ['new'];
    const answers = Promise.all([
      ...[before, meanwhile, meanwhile].map((lines, turn) => ask(turn, 'right', lines)),
    ]);
    await settle();
    homeserver.says({ is: 'held' });
    expect(new Set(await answers)).toEqual(new Set(['held login 1', 'joined login 1']));
    expect(await ask(1, 'right', after)).toBe('joined login 1');
    expect([...leases.rows.values()].filter(({ taken }) => taken)).toEqual([]);
    expect(homeserver.asked).toBe(1);
  });

  test('a sign-in that gets one of its two lines only gives it back', async () => {
    const { homeserver, ask, leases } = start();
    await leases.take('old', 'another process');
    const answer = ask(0, 'right', ['new', 'old']);
    await settle();
    expect(leases.rows.get('new')?.taken).toBe(false);
    await leases.leave('old', 'another process', undefined);
    homeserver.says({ is: 'held' });
    expect(await answer).toBe('held login 1');
  });

  test('attack 147: a refusal is asked for once, and everybody equal hears it', async () => {
    const { homeserver, ask } = start();
    const answers = Promise.all(Array.from({ length: 6 }, (_, turn) => ask(turn)));
    await settle();
    homeserver.says(REFUSED);
    expect((await answers).filter((answer) => answer === 'heard refused')).toHaveLength(5);
    expect(homeserver.asked).toBe(1);
  });

  test('a refusal of another spelling is not taken for one of this sign-in', async () => {
    const { homeserver, ask } = start();
    const wrong = ask(0, 'wrong');
    const right = ask(1, 'right');
    await settle();
    homeserver.says(REFUSED);
    expect(await wrong).toBe('refused login 1');
    expect(await right).toBe('refused login 2');
  });

  test('where no factor is needed each asks for itself, at once', async () => {
    const { homeserver, ask } = start();
    const answers = Promise.all(Array.from({ length: 5 }, (_, turn) => ask(turn)));
    await settle();
    homeserver.says({ is: 'passed' });
    expect(new Set(await answers)).toEqual(new Set([1, 2, 3, 4, 5].map((n) => `passed login ${n}`)));
  });

  test('a homeserver that cannot be reached is asked once for all who wait', async () => {
    const { homeserver, ask } = start();
    const answers = Promise.allSettled(Array.from({ length: 8 }, (_, turn) => ask(turn)));
    await settle();
    homeserver.says(new Refusal('homeserver_slow'));
    const reasons = (await answers).map((answer) => answer.status === 'rejected' && answer.reason.refusal);
    expect(new Set(reasons)).toEqual(new Set(['homeserver_slow']));
    expect(homeserver.asked).toBe(1);
  });

  test('a refusal is not remembered: the next sign-in asks again', async () => {
    const { homeserver, ask } = start();
    homeserver.says(REFUSED);
    expect(await ask(0)).toBe('refused login 1');
    await settle();
    expect(await ask(1)).toBe('refused login 2');
  });

  test('a sign-in that the homeserver keeps waiting holds the others up for one lease only', async () => {
    const { homeserver, ask, leases } = start();
    longPauses = [];
    const hung = ask(0);
    await settle();
    const next = [ask(0), ask(0), ask(0)];
    await settle();
    expect(homeserver.asked).toBe(1);
    leases.rows.clear();
    for (const over of longPauses.splice(0)) over();
    await settle();
    expect(homeserver.asked).toBe(2);
    homeserver.says({ is: 'held' });
    await Promise.all([hung, ...next]);
    expect(homeserver.asked).toBe(2);
  });

  test('a holder that died without a word leaves the turn to the next', async () => {
    const { homeserver, ask, leases } = start();
    leases.rows.set('bob', { holder: 'dead', taken: true, left: undefined });
    const waiting = ask(0);
    await settle();
    expect(homeserver.asked).toBe(0);
    leases.rows.set('bob', { holder: 'dead', taken: false, left: undefined });
    homeserver.says({ is: 'held' });
    expect(await waiting).toBe('held login 1');
  });
});

test('what another process has held since a sign-in looked for it is joined, and its lease given back', async () => {
  const leases = new SharedLeases();
  const homeserver = new Homeserver();
  homeserver.held = 'login of another process';
  expect(await processOn(leases).ask(homeserver.signIn())).toBe('joined login of another process');
  expect(homeserver.asked).toBe(0);
  expect(leases.rows.get('bob')).toMatchObject({ taken: false, left: { outcome: { is: 'held' } } });
});
