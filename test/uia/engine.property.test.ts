import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { Refusal } from '../../src/matrix/refusals.ts';
import type { SessionState } from '../../src/storage/tables/sessions.ts';
import type { UiaEngine } from '../../src/uia/engine.ts';
import type { Session, SessionBinding } from '../../src/uia/session.ts';
import { ManualClock } from '../support/manual_clock.ts';
import { MemorySessionStore } from '../support/memory_session_store.ts';
import { bindingOf, engineOver, engineUnderTest, LIFETIME_MS } from './engine_under_test.ts';

const STAGES = ['a', 'b', 'c', 'd'];

/** Two users with a session each; the first has a second token. */
const OWNERS = [
  bindingOf({ userId: '@bob:hs', tokenHash: 'bob 1' }),
  bindingOf({ userId: '@eve:hs', tokenHash: 'eve' }),
];
const CALLERS = [...OWNERS, bindingOf({ userId: '@bob:hs', tokenHash: 'bob 2' })];

type Event =
  | { kind: 'complete'; caller: number; session: number; stage: string }
  | { kind: 'finish' | 'fail' | 'resume'; caller: number; session: number }
  | { kind: 'again'; caller: number }
  | { kind: 'wait'; share: number }
  | { kind: 'end'; caller: number };

const caller = fc.nat(CALLERS.length - 1);
/** Mostly its owner, sometimes anyone, comes with a session. */
const someSession = fc.oneof(
  { weight: 5, arbitrary: fc.nat(OWNERS.length - 1).map((owner) => ({ caller: owner, session: owner })) },
  { weight: 1, arbitrary: fc.record({ caller, session: fc.nat(OWNERS.length - 1) }) },
);
const stage = fc.constantFrom(...STAGES);
const anEvent: fc.Arbitrary<Event> = fc.oneof(
  {
    weight: 16,
    arbitrary: fc
      .tuple(someSession, stage)
      .map(([by, tried]): Event => ({ kind: 'complete', ...by, stage: tried })),
  },
  { weight: 6, arbitrary: someSession.map((by): Event => ({ kind: 'finish', ...by })) },
  { weight: 2, arbitrary: someSession.map((by): Event => ({ kind: 'resume', ...by })) },
  { weight: 1, arbitrary: someSession.map((by): Event => ({ kind: 'fail', ...by })) },
  { weight: 1, arbitrary: caller.map((by): Event => ({ kind: 'again', caller: by })) },
  {
    weight: 1,
    arbitrary: fc.double({ min: 0, max: 0.7, noNaN: true }).map((share): Event => ({ kind: 'wait', share })),
  },
  { weight: 1, arbitrary: caller.map((by): Event => ({ kind: 'end', caller: by })) },
);
const someFlows = fc.array(fc.shuffledSubarray(STAGES, { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 3,
});
/** Events of one batch run at the same time, in any interleaving of their steps at the store. */
const batches = fc.array(fc.array(anEvent, { minLength: 1, maxLength: 5 }), {
  minLength: 5,
  maxLength: 30,
});

/** A store whose every step waits until the scheduler lets it go on, and which notes what it accepted. */
class ScheduledStore extends MemorySessionStore {
  readonly accepted = new Map<string, string[]>();

  constructor(
    private readonly scheduler: fc.Scheduler,
    clock: ManualClock,
  ) {
    super(clock);
  }

  override async find(idHash: string) {
    await this.scheduler.schedule(Promise.resolve());
    return super.find(idHash);
  }

  override async complete(state: SessionState, done: string) {
    await this.scheduler.schedule(Promise.resolve());
    const first = await super.complete(state, done);
    const { idHash } = state;
    if (first) this.accepted.set(idHash, [...(this.accepted.get(idHash) ?? []), done]);
    return first;
  }

  override async end(idHash: string) {
    await this.scheduler.schedule(Promise.resolve());
    return super.end(idHash);
  }
}

/** What the outside saw of one session. */
interface Witness {
  readonly session: Session;
  readonly attempted: Set<string>;
  finished: number;
}

async function resumed(engine: UiaEngine, binding: SessionBinding, id: string): Promise<Session | undefined> {
  return engine.resume(binding, id).catch((error: unknown) => {
    if (error instanceof Refusal) return undefined;
    throw error;
  });
}

test('no order of events ends a session without every stage of one flow, done in order by its owner', async () => {
  let finishes = 0;
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), someFlows, batches, async (scheduler, flows, run) => {
      const clock = new ManualClock();
      const store = new ScheduledStore(scheduler, clock);
      const { engine } = engineOver(store, clock);
      const witnesses: Witness[] = [];
      for (const owner of OWNERS) {
        witnesses.push({ session: await engine.open(owner, { flows }), attempted: new Set(), finished: 0 });
      }

      const perform = async (event: Event): Promise<void> => {
        if (event.kind === 'wait') return clock.advance(event.share * LIFETIME_MS);
        const binding = CALLERS[event.caller] as SessionBinding;
        if (event.kind === 'end') return store.endOfToken(binding.userId, binding.tokenHash ?? '');
        if (event.kind === 'again') {
          const again = await engine.again(binding);
          const owned = witnesses.find((witness) => witness.session.id === again?.id);
          if (again) expect(owned?.session.binding).toEqual(binding);
          return;
        }
        const witness = witnesses[event.session] as Witness;
        const begun = clock.now();
        const current = await resumed(engine, binding, witness.session.id);
        if (!current) return;
        expect(current.binding).toEqual(binding);
        expect(current.flows).toEqual(flows);
        if (event.kind === 'fail') store.fail(current.idHash);
        if (event.kind === 'complete') {
          witness.attempted.add(event.stage);
          await engine.complete(current, event.stage);
        }
        if (event.kind === 'finish' && (await engine.finish(current))) {
          witness.finished += 1;
          finishes += 1;
          const accepted = store.accepted.get(current.idHash) ?? [];
          const done = flows.filter((flow) => flow.every((part, index) => accepted[index] === part));
          expect(done).not.toHaveLength(0);
          expect(accepted.every((part) => witness.attempted.has(part))).toBe(true);
          expect(begun).toBeLessThan(witness.session.expiresAt);
        }
      };

      for (const batch of run) await scheduler.waitFor(Promise.all(batch.map(perform)));
      for (const witness of witnesses) expect(witness.finished).toBeLessThanOrEqual(1);
    }),
    { numRuns: 400 },
  );
  // Else the property would hold for want of any session that ends.
  expect(finishes).toBeGreaterThan(100);
});

test('the stages of one flow, in order, end the session whatever is tried in between', async () => {
  await fc.assert(
    fc.asyncProperty(someFlows, fc.array(stage), fc.nat(), async (flows, noise, pick) => {
      const { engine } = engineUnderTest();
      const opened = await engine.open(bindingOf(), { flows });
      const flow = flows[pick % flows.length] as string[];
      let current = opened;
      for (const part of flow) {
        for (const wrong of noise.filter((candidate) => !flows.flat().includes(candidate))) {
          expect(await engine.complete(current, wrong)).toMatchObject({ outcome: 'out_of_order' });
        }
        const completion = await engine.complete(current, part);
        if (completion.outcome !== 'completed') throw new Error(`${part} was ${completion.outcome}`);
        current = completion.session;
      }
      expect(current.completed).toEqual(flow);
      expect(await engine.finish(current)).toBe(true);
      expect(await engine.finish(current)).toBe(false);
    }),
  );
});
