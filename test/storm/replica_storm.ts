import { setTimeout as pause } from 'node:timers/promises';
import type { StubHomeserver } from '../support/stub/stub.ts';
import { livesUntil, ReplicaOwner } from './replica_owner.ts';
import type { Replicas, TheEnd } from './replicas.ts';

/** How long nothing is killed before each kill. */
const CALM_MS = 700;

/** What a storm of sign-ins came to, in which replicas were killed. */
export interface StormReport {
  readonly kills: number;
  readonly signIns: number;
  readonly atSecondTry: number;
  /** Logins that the homeserver granted, and what became of them. */
  readonly granted: number;
  readonly delivered: number;
  readonly loggedOut: number;
  /** Released on record, but the process was killed before its client had the answer. */
  readonly cutAfterRelease: number;
  /** Granted, but the process was killed before it could be put on record (docs/security_model.md). */
  readonly cutBeforeRecord: number;
  readonly faults: readonly string[];
}

/**
 * Owners sign in all the time, while one replica after the other is killed and started again.
 * @param isOver whether there were enough kills
 * @param say is told of each kill
 */
export async function stormOver(
  replicas: Replicas,
  isOver: (kills: number) => boolean,
  say: (line: string) => void = () => undefined,
): Promise<StormReport> {
  const over = new AbortController();
  const owners = replicas.owners.map(
    (owner, number) => new ReplicaOwner(owner, replicas.balancer.url, `203.0.113.${number + 1}`),
  );
  const lives = owners.map((owner) => livesUntil(owner, over.signal));
  let kills = 0;
  for (; !isOver(kills); kills += 1) {
    await pause(CALM_MS);
    // A second try may be hit by nothing: two kills are two faults.
    while (owners.some(({ isAtSecondTry }) => isAtSecondTry)) await pause(20);
    await replicas.kill(kills % 2);
    say(`kill ${kills + 1}: ${sum(owners, ({ signIns }) => signIns)} sign-ins so far`);
  }
  over.abort();
  await Promise.all(lives);
  return report(replicas.stub, await replicas.inTheEnd(), owners, kills);
}

function report(
  stub: StubHomeserver,
  end: TheEnd,
  owners: readonly ReplicaOwner[],
  kills: number,
): StormReport {
  const fates = owners.map((owner) => fateOf(owner, stub, end));
  const granted = stub
    .requestsTo('login')
    .filter(({ method, status }) => method === 'POST' && status === 200);
  const delivered = sum(owners, (owner) => owner.delivered.length);
  const cutAfterRelease = sum(fates, (fate) => fate.cutAfterRelease);
  const cutBeforeRecord = sum(fates, (fate) => fate.cutBeforeRecord);
  return {
    kills,
    signIns: sum(owners, ({ signIns }) => signIns),
    atSecondTry: sum(owners, ({ atSecondTry }) => atSecondTry),
    granted: granted.length,
    delivered,
    loggedOut: granted.length - delivered - cutAfterRelease - cutBeforeRecord,
    cutAfterRelease,
    cutBeforeRecord,
    faults: [
      ...fates.flatMap(({ faults }) => faults),
      ...(end.held > 0 ? [`${end.held} logins are still held`] : []),
    ],
  };
}

/** What became of the logins of one owner. */
function fateOf(owner: ReplicaOwner, stub: StubHomeserver, { released }: TheEnd) {
  const { name, delivered, cut } = owner;
  const lost = stub.liveTokens(name).filter((token) => !delivered.includes(token)).length;
  const ended = delivered.filter((token) => !stub.isLive(token)).length;
  const cutAfterRelease = released.filter((userId) => userId === owner.userId).length - delivered.length;
  const cutBeforeRecord = lost - cutAfterRelease;
  const faults = [
    ...owner.faults,
    ...(cutAfterRelease < 0 || cutAfterRelease > cut.codes
      ? [
          `${name}: ${cutAfterRelease} more released than delivered, and ${cut.codes} answers to codes were cut`,
        ]
      : []),
    ...(cutBeforeRecord < 0 || cutBeforeRecord > cut.passwords
      ? [`${name}: ${cutBeforeRecord} grants were lost, and ${cut.passwords} answers to passwords were cut`]
      : []),
    ...(ended > 0 ? [`${name}: ${ended} tokens that were handed out were logged out`] : []),
  ];
  return { cutAfterRelease, cutBeforeRecord, faults };
}

function sum<T>(list: readonly T[], of: (each: T) => number): number {
  return list.reduce((total, each) => total + of(each), 0);
}
