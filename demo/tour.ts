import { renderUnicodeCompact } from 'uqr';
import { SECOND } from '../src/system/clock.ts';
import { ALICE, type Bob } from './cast.ts';
import type { ShownCode } from './phone.ts';
import { placesIn } from './places.ts';
import { printedLines } from './printed_lines.ts';
import type { Scene } from './scene.ts';

/** Pages for people, and what one does there. They are printed if they open. */
function pageLinks({ url }: Scene, clientUrl: string): { readonly link: string; readonly says: string }[] {
  return [
    { link: `${clientUrl}/sign-in`, says: 'the sign-in page, as clients lead to it' },
    { link: `${url}/_2fa/account`, says: 'turn 2FA on and off, see authenticators and recovery codes' },
    { link: `${url}/_2fa/help`, says: 'what 2FA is, and what to do without the phone' },
  ];
}

/** Light on dark whatever colours the terminal has, as scanners want it. */
const WHITE_ON_BLACK = '\u001b[97;40m';
const PLAIN = '\u001b[0m';

/** How the tour is to look. */
export interface TourStyle {
  readonly hasAlice: boolean;
  /** Whether it is read on a terminal, which knows colours. */
  readonly isColoured: boolean;
  /** Where the demo client is. */
  readonly clientUrl: string;
}

/** What a newcomer reads when all is running. */
export async function tourText(scene: Scene, bob: Bob, shown: ShownCode, style: TourStyle): Promise<string> {
  const sections = [
    whatRuns(scene, bob, style),
    await pages(scene, style.clientUrl),
    whatTheyHave(scene, bob, shown, style),
    whatToTry(scene, bob, style),
  ];
  return sections.filter((section) => section !== '').join('\n\n');
}

/** One line about the code of this moment. */
export function codeLine(bob: Bob, { code, validUntil }: ShownCode, now: number): string {
  return `${bob.name}'s code now: ${code}  (valid for ${Math.floor((validUntil - now) / SECOND)} s more, works once)`;
}

function whatRuns(scene: Scene, bob: Bob, { hasAlice, clientUrl }: TourStyle): string {
  const homeserver = scene.synapse === undefined ? 'your homeserver' : 'Synapse (it knows nothing of 2FA)';
  const alice = `  alice  password ${ALICE.password}, no second factor\n`;
  return `Running now:
  ${homeserver} on ${scene.homeserverUrl}
  matrix-2fa-proxy in front of it on ${scene.url}   <- clients go here
  a small client, which signs in by the page, on ${clientUrl}   <- begin here
Users:
${hasAlice ? alice : ''}  ${bob.name}    password ${bob.password}, second factor on`;
}

async function pages(scene: Scene, clientUrl: string): Promise<string> {
  const lines: string[] = [];
  for (const { link, says } of pageLinks(scene, clientUrl)) {
    const answer = await fetch(link).catch(() => undefined);
    if (answer?.status === 200) lines.push(`  ${link}   ${says}`);
  }
  return lines.length === 0 ? '' : `Pages:\n${lines.join('\n')}`;
}

function whatTheyHave(scene: Scene, bob: Bob, shown: ShownCode, { isColoured }: TourStyle): string {
  return `${bob.name}'s phone. Scan this with an authenticator app, or type the seed into it, or read the codes here:

${qrCode(bob, isColoured)}

  seed            ${bob.phone.seed}
  ${codeLine(bob, shown, scene.clock.now())}
  the next code   is always in ${placesIn(scene.folder).code} (the lines below take it from there;
                  each code works once, so after two quick sign-ins wait half a minute)
  recovery codes  ${inRows(bob.recoveryCodes, 3, ' '.repeat(18))}`;
}

function whatToTry(scene: Scene, bob: Bob, { hasAlice }: TourStyle): string {
  const lines = printedLines(scene, bob, hasAlice).map(
    ({ says, command, see }, index) => `${index + 1}. ${says}\n\n${command}\n\n   You see: ${see}.`,
  );
  return `Try these, in this order, in another terminal:\n\n${lines.join('\n\n')}\n
Or point a Matrix client at ${scene.url} (homeserver), and sign in as ${bob.name} with password, blank, code.`;
}

function qrCode({ phone, account }: Bob, isColoured: boolean): string {
  const rows = renderUnicodeCompact(phone.link(account.userId), { border: 3 }).split('\n');
  return rows.map((row) => (isColoured ? `  ${WHITE_ON_BLACK}${row}${PLAIN}` : `  ${row}`)).join('\n');
}

function inRows(words: readonly string[], perRow: number, indent: string): string {
  const rows: string[] = [];
  for (let at = 0; at < words.length; at += perRow) rows.push(words.slice(at, at + perRow).join('  '));
  return rows.join(`\n${indent}`);
}
