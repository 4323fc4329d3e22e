/** What it costs to classify a request: the classifier alone, over targets as clients send them. */
import { fileURLToPath } from 'node:url';
import { classify } from '../src/gateway/classify.ts';

/** So many calls are timed together: the clock is too coarse for one. */
const BATCH = 100;
const BATCHES = 20_000;

const GOAL_MICROSECONDS = 2;

/** Mostly what passes, as in life; some gated ones; some that need a closer look. */
const REQUESTS: readonly (readonly [method: string, target: string])[] = [
  [
    'GET',
    '/_matrix/client/v3/sync?filter=1&timeout=30000&since=s72595_4483_1934_23_8_1_0_1_0&set_presence=offline',
  ],
  ['POST', '/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?pos=5&timeout=30000'],
  ['PUT', '/_matrix/client/v3/rooms/!cURbafjkfsMDVwdRDQ%3Aexample.org/send/m.room.encrypted/m1719312312.7'],
  [
    'GET',
    '/_matrix/client/v3/rooms/!cURbafjkfsMDVwdRDQ:example.org/messages?dir=b&limit=20&from=t47429-4392820',
  ],
  ['POST', '/_matrix/client/v3/rooms/!cURbafjkfsMDVwdRDQ%3Aexample.org/receipt/m.read/%24abcdefghijklmnop'],
  ['PUT', '/_matrix/client/v3/rooms/!cURbafjkfsMDVwdRDQ%3Aexample.org/typing/%40alice%3Aexample.org'],
  [
    'GET',
    '/_matrix/client/v1/media/thumbnail/example.org/QqzJcYmzsGTHgFjJKLZXAwDe?width=96&height=96&method=crop',
  ],
  ['GET', '/_matrix/client/v3/profile/%40alice%3Aexample.org'],
  ['POST', '/_matrix/client/v3/keys/query'],
  ['GET', '/_matrix/client/v3/account/whoami'],
  ['PUT', '/_matrix/federation/v1/send/1719312312-1'],
  ['POST', '/_matrix/client/v3/login'],
  ['DELETE', '/_matrix/client/v3/devices/QBUAZIFURK'],
];

/** Measures and prints. */
export async function run(): Promise<void> {
  time(BATCHES / 10, REQUESTS);
  const whole = time(BATCHES, REQUESTS);
  console.log('classifier, microseconds a request');
  console.log(
    `all          p50 ${micros(whole, 0.5)}  p99 ${micros(whole, 0.99)}  (goal: p50 < ${GOAL_MICROSECONDS})`,
  );
  for (const request of REQUESTS) {
    const [method, target] = request;
    console.log(`  p50 ${micros(time(BATCHES / 20, [request]), 0.5)}  ${method} ${target.slice(0, 80)}`);
  }
}

/** The mean time of a call in each batch, in microseconds, sorted. */
function time(batches: number, requests: typeof REQUESTS): number[] {
  const means: number[] = [];
  for (let batch = 0; batch < batches; batch++) {
    const begun = process.hrtime.bigint();
    for (let call = 0; call < BATCH; call++) {
      const [method, target] = requests[(batch + call) % requests.length] as readonly [string, string];
      classify(method, target);
    }
    means.push(Number(process.hrtime.bigint() - begun) / 1000 / BATCH);
  }
  return means.sort((one, other) => one - other);
}

function micros(sorted: readonly number[], quantile: number): string {
  return (sorted[Math.floor(sorted.length * quantile)] ?? Number.NaN).toFixed(2);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await run();
