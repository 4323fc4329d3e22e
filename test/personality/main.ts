/**
 * `npm run probe -- --homeserver URL --family NAME`: makes every experiment of this folder on a running homeserver
 * and says which answers are not those that were measured before (docs/architecture.md, "Tests").
 */
import { parseArgs } from 'node:util';
import { isLoopback } from '../../src/config/values.ts';
import type { PersonalityName } from '../support/stub/personality.ts';
import { PERSONALITIES } from '../support/stub/stub.ts';
import { probedServer } from './probed_server.ts';
import { PROBES } from './probes.ts';
import { runProbes } from './run_probes.ts';

const USAGE = `usage: npm run probe -- --homeserver URL --family ${Object.keys(PERSONALITIES).join('|')}
         [--registration-token TOKEN] [--only TEXT]

It makes many accounts, changes their passwords and closes some: run it on a homeserver of your own, which listens on
loopback, has open registration and no limits on logins.`;

const { values } = parseArgs({
  options: {
    homeserver: { type: 'string', default: '' },
    family: { type: 'string', default: '' },
    'registration-token': { type: 'string' },
    only: { type: 'string', default: '' },
  },
});

process.exitCode = await probe();

async function probe(): Promise<number> {
  const { homeserver: url, family, only } = values;
  if (!isPersonality(family) || !URL.canParse(url) || !isLoopback(new URL(url).hostname)) {
    say(USAGE);
    return 2;
  }
  const probes = PROBES.filter(({ name }) => name.includes(only));
  const homeserver = await probedServer({ url, registrationToken: values['registration-token'] });
  const deviations = await runProbes(homeserver, family, probes, ({ probe: name, measured, seen }) =>
    say(`${name}\n    measured: ${measured}\n    seen:     ${seen}`),
  );
  say(`${probes.length} probes, ${deviations} not as measured on ${family}`);
  return deviations === 0 ? 0 : 1;
}

function isPersonality(name: string): name is PersonalityName {
  return name in PERSONALITIES;
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}
