import type { Clock } from '../src/system/clock.ts';
import { Visitor } from '../test/support/visitor.ts';
import { type Bob, lastUsedStep } from './cast.ts';
import { DemoClient } from './demo_client.ts';
import { Phone } from './phone.ts';
import { type Report, StepFailed } from './report.ts';
import type { Scene } from './scene.ts';
import { tourText } from './tour.ts';

/** More pages than a sign-in has. */
const MOST_PAGES = 12;
/** A QR code with a user's link has more rows. */
const FEWEST_ROWS = 15;

/** What the walk knows of the user. */
interface About {
  /** A code that works now. */
  freshCode(): Promise<string>;
  deviceCount(): Promise<number>;
}

/** The steps of the check that a person does: reading what the demo prints, and signing in by the page. */
export class PageWalk {
  constructor(
    private readonly deps: {
      readonly report: Report;
      readonly scene: Scene;
      readonly clock: Clock;
      readonly hasAlice: boolean;
      readonly bob: Bob;
    },
  ) {}

  /** @throws StepFailed */
  async all(about: About): Promise<void> {
    const client = await DemoClient.open(0, this.deps.scene.url);
    try {
      await this.readTheTour(client.url);
      await this.signInAndOut(client.url, about);
    } finally {
      await client.close();
    }
  }

  private async readTheTour(clientUrl: string): Promise<void> {
    const { report, scene, clock, hasAlice, bob } = this.deps;
    const { phone, account } = bob;
    report.step('What `npm run demo` prints: links that open, a QR code, a code and how long it holds');
    const shown = phone.freshCode(await lastUsedStep(scene, account.userId));
    const text = await tourText(scene, bob, shown, { hasAlice, isColoured: false, clientUrl });
    // Only pages that open are printed.
    for (const link of [`${clientUrl}/sign-in`, `${scene.url}/_2fa/account`, `${scene.url}/_2fa/help`]) {
      report.require(`GET ${link}`, 'is printed, and opens', text.includes(`${link} `));
    }
    const rows = text.split('\n').filter((line) => /^ *█[█▀▄ ]+█$/.test(line)).length;
    report.require('the QR code', `has ${rows} rows`, rows > FEWEST_ROWS);
    const secret = new URL(phone.link(account.userId)).searchParams.get('secret') ?? '';
    const scanned = new Phone(secret, clock).code();
    report.require('an app with what is in it', 'shows the same code', scanned === phone.code());
    const [, code, seconds] = / now: (\d{6}) {2}\(valid for (\d+) s more/.exec(text) ?? [];
    report.require('the code', `holds for ${seconds} s`, code === shown.code && Number(seconds) > 0);
  }

  private async signInAndOut(clientUrl: string, { freshCode, deviceCount }: About): Promise<void> {
    const { report, bob } = this.deps;
    const { userId } = bob.account;
    report.step(`The small client of the demo signs ${bob.name} in by the sign-in page, and out again`);
    const before = await deviceCount();
    const browser = await this.signIn(clientUrl, freshCode);
    const isIn = browser.last?.text.includes(`Signed in as <strong>${userId}</strong>`) === true;
    report.require('password, code and consent on the page', `signed in: ${userId}`, isIn);
    report.require('GET devices', '1 more', (await deviceCount()) === before + 1);
    await browser.send({});
    report.require('Sign out', '0 more', (await deviceCount()) === before);
  }

  /**
   * As a person does who opened the demo client: each page is answered by what it asks for.
   * @returns the browser, which shows what the demo client says in the end
   */
  private async signIn(clientUrl: string, freshCode: () => Promise<string>): Promise<Visitor> {
    const { url } = this.deps.scene;
    const [client, page] = [new Visitor(clientUrl), new Visitor(url)];
    const begun = await client.open('/sign-in');
    let at = new URL(String(begun.headers.location));
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      if (at.origin === clientUrl) {
        await client.open(`${at.pathname}${at.search}`);
        await client.open('/');
        return client;
      }
      const opened = await page.open(`${at.pathname}${at.search}`);
      const { status, headers } = opened.status === 200 ? await this.fillIn(page, freshCode) : opened;
      if (headers.location === undefined) throw new StepFailed(`A page of the sign-in answered ${status}.`);
      at = new URL(headers.location, url);
    }
    throw new StepFailed('The sign-in page leads in a circle.');
  }

  /** Answers pages until one leads elsewhere. */
  private async fillIn(page: Visitor, freshCode: () => Promise<string>) {
    const { name, password } = this.deps.bob;
    for (let pages = 0; pages < MOST_PAGES; pages += 1) {
      const text = page.last?.text ?? '';
      const fields = text.includes('name="password"')
        ? { user: name, password }
        : text.includes('name="code"')
          ? { code: await freshCode() }
          : { decision: 'allow' };
      const answer = await page.send(fields);
      if (answer.status !== 200) return answer;
    }
    throw new StepFailed('A page of the sign-in asks for the same all the time.');
  }
}
