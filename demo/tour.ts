import { SECOND } from '../src/system/clock.ts';
import { ALICE, type Bob } from './cast.ts';
import type { ShownCode } from './phone.ts';
import { placesIn } from './places.ts';
import { printedLines } from './printed_lines.ts';
import type { Scene } from './scene.ts';

/** Pages for people, and what one does there. They are offered if they are there. */
const PAGES = [
  {
    path: '/_2fa/account',
    says: 'turn 2FA on and off, see authenticators and recovery codes',
  },
  { path: '/_2fa/login', says: 'the sign-in page, to which clients lead' },
];

/** What a newcomer reads when all is running. */
export async function tourText(scene: Scene, bob: Bob, shown: ShownCode, hasAlice: boolean): Promise<string> {
  const sections = [
    whatRuns(scene, bob, hasAlice),
    await pages(scene),
    whatTheyHave(scene, bob, shown),
    whatToTry(scene, bob, hasAlice),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

/** One line about the code of this moment. */
export function codeLine(bob: Bob, { code, validUntil }: ShownCode, now: number): string {
  return `${bob.name}'s code now: ${code}  (valid for ${Math.floor((validUntil - now) / SECOND)} s more, works once)`;
}

function whatRuns(scene: Scene, bob: Bob, hasAlice: boolean): string {
  const homeserver = scene.synapse === undefined ? 'your homeserver' : 'Synapse (it knows nothing of 2FA)';
  const alice = `  alice  password ${ALICE.password}, no second factor\n`;
  return `Running now:
  ${homeserver} on ${scene.homeserverUrl}
  matrix-2fa-proxy in front of it on ${scene.url}   <- clients go here
Users:
${hasAlice ? alice : ''}  ${bob.name}    password ${bob.password}, second factor on`;
}

async function pages(scene: Scene): Promise<string> {
  const lines: string[] = [];
  for (const { path, says } of PAGES) {
    const answer = await fetch(`${scene.url}${path}`).catch(() => undefined);
    if (answer?.status === 200) lines.push(`  ${scene.url}${path}   ${says}`);
  }
  return lines.length === 0 ? '' : `Pages:\n${lines.join('\n')}`;
}

function whatTheyHave(scene: Scene, bob: Bob, shown: ShownCode): string {
  return `${bob.name}'s phone. Put the seed into an authenticator app, or read the codes here:
  seed            ${bob.phone.seed}
  ${codeLine(bob, shown, scene.clock.now())}
  the next code   is always in ${placesIn(scene.folder).code} (the lines below take it from there;
                  each code works once, so after two quick sign-ins wait half a minute)
  recovery codes  ${inRows(bob.recoveryCodes, 3, ' '.repeat(18))}`;
}

function whatToTry(scene: Scene, bob: Bob, hasAlice: boolean): string {
  const lines = printedLines(scene, bob, hasAlice).map(
    ({ says, command, see }, index) => `${index + 1}. ${says}\n\n${command}\n\n   You see: ${see}.`,
  );
  return `Try these, in this order, in another terminal:\n\n${lines.join('\n\n')}\n
Or point a Matrix client at ${scene.url} (homeserver), and sign in as ${bob.name} with password, blank, code.`;
}

function inRows(words: readonly string[], perRow: number, indent: string): string {
  const rows: string[] = [];
  for (let at = 0; at < words.length; at += perRow) rows.push(words.slice(at, at + perRow).join('  '));
  return rows.join(`\n${indent}`);
}
