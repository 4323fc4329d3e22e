/**
 * What happened, as lines: one an act.
 *
 * @typedef {import('./answers.d.ts').HistoryAnswer['events'][number]} Happening
 * @typedef {Happening & { count: number, used?: Happening }} Line `count` equal failures, the newest of which it is;
 *   `used`: the authenticator whose code completed a sign-in
 */

/** Equal failures within this time are one line; a code belongs to a sign-in that it completed within this time. */
const TOGETHER_MS = 10 * 60_000;

/** So soon after a set-up its name is given. */
const NAMED_MS = 5000;

const SET_UP = /^\w+\.(?:added|enabled)$/;
const RENAMED = /^(?!device_password\.)\w+\.renamed$/;

const FAILURES = ['factor.refused', 'throttle.wait', 'throttle.shut'];

/** What is said of a code or key that was accepted. */
const USED = /^(?!recovery\.)\w+\.used$/;

/**
 * @param {readonly Happening[]} events the newest first
 * @returns {Line[]}
 */
export function linesOf(events) {
  /** @type {Line[]} */
  const lines = [];
  for (const event of events) {
    if (absorbed(lines, event) || joined(lines, event)) continue;
    dropFirstName(lines, event);
    lines.push({ ...event, count: 1 });
  }
  return lines;
}

/**
 * A set-up gives its authenticator a name by a request of its own: to its user that is one act.
 *
 * @param {Line[]} lines
 * @param {Happening} event
 */
function dropFirstName(lines, { event, at, device_id: device, detail }) {
  if (!SET_UP.test(event) || detail.authenticator === undefined) return;
  const named = lines.findLastIndex(
    (line) =>
      RENAMED.test(line.event) &&
      line.device_id === device &&
      line.detail.authenticator === detail.authenticator,
  );
  if (named >= 0 && (lines[named]?.at ?? 0) - at <= NAMED_MS) lines.splice(named, 1);
}

/**
 * @param {Line[]} lines
 * @param {Happening} event
 */
function absorbed(lines, event) {
  if (!USED.test(event.event)) return false;
  const signIn = lines.findLast(({ event: name, address }) => {
    return name === 'login.completed' && address === event.address;
  });
  if (signIn === undefined || signIn.used !== undefined || signIn.at - event.at > TOGETHER_MS) return false;
  signIn.used = event;
  return true;
}

/**
 * @param {Line[]} lines
 * @param {Happening} event
 */
function joined(lines, event) {
  if (!FAILURES.includes(event.event)) return false;
  const newest = lines.findLast(
    ({ event: name, address, device_id: device, detail }) =>
      name === event.event &&
      address === event.address &&
      device === event.device_id &&
      detail.factor === event.detail.factor,
  );
  if (newest === undefined || newest.at - event.at > TOGETHER_MS) return false;
  newest.count += 1;
  return true;
}
