import { renameSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { JsonObject } from '../../../src/matrix/wire.ts';
import { ANSWERED_BY_HAND, type Exchange } from '../../support/stub/exchange.ts';
import type { DownMode } from '../../support/stub/stub.ts';
import type { Dice } from './dice.ts';
import type { Strike } from './ground.ts';
import type { World } from './world.ts';

const MINUTE = 60_000;

/** Everything that can happen, by name; what the database has of its own is among it. */
export function faultsOf(world: World, dice: Dice): Readonly<Record<string, Strike>> {
  return {
    ...world.ground.faults,
    'kill -9': async () => {
      await world.kill();
      return () => world.begin();
    },
    SIGTERM: async () => {
      await world.stop();
      return () => world.begin();
    },
    'homeserver refuses connections': down(world, 'refuse'),
    'homeserver resets': down(world, 'reset'),
    'homeserver hangs': down(world, 'hang'),
    'homeserver says 503': down(world, 'error'),
    'homeserver talks garbage': down(world, 'garbage'),
    'homeserver is slow': slow(world, dice),
    'homeserver resets within a body': cutBodies(world),
    'clock 5 minutes ahead': clockJump(world, 5 * MINUTE),
    'clock 5 minutes behind': clockJump(world, -5 * MINUTE),
    'key file gone': keysGone(world),
    'mail server dead': async () => {
      await world.stopMail();
      return () => world.startMail();
    },
    'webhook says 503': async () => {
      world.hook.answers(503);
      return () => world.hook.answers(204);
    },
  };
}

function down({ stub }: World, mode: DownMode): Strike {
  return async () => {
    await stub.setDown(mode);
    return async () => {
      // It is started again: what hung is over.
      await stub.setDown('refuse');
      await stub.setDown(undefined);
    };
  };
}

function slow({ stub }: World, dice: Dice): Strike {
  return async () =>
    stub.override(/./, async (_exchange, next) => {
      await pause(dice.between(300, 1_500));
      return next();
    });
}

/** The homeserver does what it is asked to, and the connection ends in the middle of its answer. */
function cutBodies(world: World): Strike {
  return async () =>
    world.stub.override(/./, (exchange, next) => {
      const answer = next();
      if (answer === ANSWERED_BY_HAND) return answer;
      noteLost(world, exchange, answer.body);
      const bytes = Buffer.from(
        typeof answer.body === 'string' || Buffer.isBuffer(answer.body)
          ? answer.body
          : JSON.stringify(answer.body),
      );
      const { response } = exchange;
      response.writeHead(answer.status, {
        'content-type': 'application/json',
        'content-length': bytes.length + 1,
      });
      response.write(bytes, () => response.destroy());
      return ANSWERED_BY_HAND;
    });
}

function noteLost(world: World, { path }: Exchange, body: JsonObject | Buffer | string): void {
  if (!path.endsWith('/login') || typeof body === 'string' || Buffer.isBuffer(body)) return;
  if (typeof body.access_token === 'string') world.lostGrants.add(body.access_token);
}

function clockJump(world: World, offMs: number): Strike {
  return async () => {
    world.setClock(offMs);
    return () => world.setClock(0);
  };
}

/** It is away, also for a process that reads it again. */
function keysGone(world: World): Strike {
  return async () => {
    const { keyFile } = world;
    renameSync(keyFile, `${keyFile}.away`);
    world.serve.child.kill('SIGHUP');
    return () => {
      renameSync(`${keyFile}.away`, keyFile);
      world.serve.child.kill('SIGHUP');
    };
  };
}
