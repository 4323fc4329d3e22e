import { afterEach, expect, test } from '@jest/globals';
import '../support/full_argon2.ts';
import { FaultStorm } from './faults/fault_storm.ts';
import { sqliteGround } from './faults/ground.ts';
import { World } from './faults/world.ts';

/** Few, and two faults (the seed makes them kill -9 and a full disk): CI has to be short. */
const PEOPLE = { owners: 2, recoveryCodes: 8, guests: 2, newcomers: 50 };
const ROUNDS = 2;
const SEED = 'CI 17';
const FAULTS_SHOWN = 10;

let world: World | undefined;

afterEach(() => world?.end());

test('while things break in turn nothing is let in, lost or forgotten', async () => {
  world = await World.start(sqliteGround(), PEOPLE);
  const goesOn = (rounds: number) => rounds < ROUNDS;
  const storm = new FaultStorm(world, { seed: SEED, goesOn, spell: [100, 400] });
  const { ledger, signIns, struck } = await storm.run();
  expect(ledger.faults.slice(0, FAULTS_SHOWN)).toEqual([]);
  expect([...struck.values()]).toEqual([1, 1]);
  expect(signIns.first + signIns.second).toBeGreaterThanOrEqual(PEOPLE.owners);
});
