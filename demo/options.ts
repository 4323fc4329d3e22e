import { parseArgs } from 'node:util';
import { BadValue, parseOrigin } from '../src/config/values.ts';
import { DemoFailure } from './demo_failure.ts';

export const HELP = `npm run demo                shows two-factor authentication in front of a real Synapse
npm run demo -- --check     walks through all of it by itself, prints each step, exits 0 or 1

The demo installs Synapse from PyPI into .demo/ (Python 3.10 or newer is needed), starts it on a free port of
this machine with the proxy in front of it on 127.0.0.1:8010, and makes two users: alice, who has a password,
and bob, who has a second factor besides. A small client on 127.0.0.1:8011 signs in by the sign-in page. All is kept in .demo/ between runs; delete that folder to begin again.

  --homeserver URL   use a homeserver that runs already instead of Synapse from PyPI. Nothing is changed there:
                     the second factor lives in the proxy alone. Needs:
  --user NAME        a user of that homeserver, who plays bob's part
  --password TEXT    the password
  --check            walk through it, print each step, and end
  --help             this text`;

/** A user of a homeserver that is not ours. */
export interface Guest {
  readonly url: string;
  readonly user: string;
  readonly password: string;
}

export interface DemoOptions {
  readonly help: boolean;
  readonly check: boolean;
  /** The running homeserver to use, and a user who has an account there. */
  readonly guest: Guest | undefined;
}

/** @throws DemoFailure if the words make no sense */
export function readOptions(words: readonly string[]): DemoOptions {
  const { help = false, check = false, homeserver, user, password } = parse(words);
  if (homeserver === undefined) {
    if (user !== undefined || password !== undefined) {
      throw new DemoFailure(
        '--user and --password are for a homeserver that runs already: give --homeserver, too.',
      );
    }
    return { help, check, guest: undefined };
  }
  if (user === undefined || password === undefined) {
    throw new DemoFailure(
      'The demo makes no users on a homeserver of yours: make one there for trying, then give --user NAME --password TEXT.',
    );
  }
  return { help, check, guest: { url: originOf(homeserver), user, password } };
}

function parse(words: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...words],
      options: {
        help: { type: 'boolean', short: 'h' },
        check: { type: 'boolean' },
        homeserver: { type: 'string' },
        user: { type: 'string' },
        password: { type: 'string' },
      },
    });
    return values;
  } catch (error) {
    if (error instanceof TypeError) throw new DemoFailure(`${error.message} (see npm run demo -- --help)`);
    throw error;
  }
}

function originOf(url: string): string {
  try {
    return parseOrigin(url);
  } catch (error) {
    if (error instanceof BadValue) throw new DemoFailure(`--homeserver ${error.message}.`);
    throw error;
  }
}
