import fc from 'fast-check';
import { classify } from '../../src/gateway/classify.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { rawExchange } from '../support/http.ts';
import type { EndpointName, PersonalityName } from '../support/stub/personality.ts';
import type { RecordedRequest } from '../support/stub/stub.ts';
import { PERSONALITIES } from '../support/stub/stub.ts';
import type { Campaign } from './campaign.ts';
import { routerToClosed } from './routers.ts';
import { disguisedTarget, method, ordinaryTarget } from './target_inputs.ts';

/** Attack 2, differential: what the classifier lets pass no router takes to anything closed. */
export const classifiedTargets: Campaign = {
  name: 'targets, by the classifier',
  runsPerWorld: 5_000,
  begin: async () => {
    const counts = { passed: 0, refused: 0, routed: 0 };
    const property = fc.property(method, disguisedTarget, ordinaryTarget, (asked, disguised, ordinary) => {
      const { kind } = classify(asked, disguised);
      if (kind === 'pass') counts.passed++;
      else if (kind === 'route') counts.routed++;
      else counts.refused++;
      const leak = kind === 'pass' ? routerToClosed(asked, disguised) : undefined;
      if (leak !== undefined) throw new Error(`it passes, and ${leak}`);
      if (classify('GET', ordinary).kind !== 'pass') throw new Error(`${ordinary} does not pass`);
    });
    return { property, counts, end: async () => undefined };
  },
};

/** What the stub must only ever be asked by us, in our own words. */
const CLOSED_AT_STUB: ReadonlySet<EndpointName> = new Set<EndpointName>([
  ...(['login', 'sso', 'register', 'logout', 'refresh', 'delete_devices', 'password', 'deactivate'] as const),
  ...(['threepid_post', 'threepid_add', 'device_signing', 'get_token', 'get_token_msc3882'] as const),
  'get_token_msc3882_old',
]);

/** Passes through to the homeserver, and is never sent by us. */
const MARK = 'x-fuzz-mark';

const personalities = Object.keys(PERSONALITIES) as PersonalityName[];

/** The same over bare sockets, through the real application to the stub's own routers. */
export const sentTargets: Campaign = {
  name: 'targets, over sockets',
  runsPerWorld: 30,
  begin: async (round) => {
    const personality = personalities[round % personalities.length] ?? 'synapse';
    const app = await startApp({
      personality,
      users: [{ name: 'bob', password: 'correct horse' }],
      openEndedDeleteDevices: true,
    });
    await app.enrol('bob');
    const counts = { sent: 0, arrived: 0, 'passed through': 0 };
    const property = fc.asyncProperty(
      fc.array(fc.tuple(method, disguisedTarget), { minLength: 1, maxLength: 10 }),
      async (requests) => {
        app.stub.clear();
        const { token } = app.stub.signIn('bob', 'ABCDEF');
        await Promise.all(requests.map(([asked, target]) => send(app, asked, target, token)));
        const passed = app.stub.requests.filter(({ headers }) => MARK in headers);
        counts.sent += requests.length;
        counts.arrived += app.stub.requests.length;
        counts['passed through'] += passed.length;
        for (const request of passed) requireOpen(request);
      },
    );
    return { property, counts, end: () => app.stop() };
  },
};

async function send(app: TestApp, asked: string, target: string, token: string): Promise<void> {
  const body = '{"devices":["ABCDEF"]}';
  const head = [
    `${asked} ${target} HTTP/1.1`,
    'Host: proxy.test',
    `Authorization: Bearer ${token}`,
    `X-Fuzz-Mark: 1`,
    'Connection: close',
    `Content-Length: ${body.length}`,
  ];
  const answer = await rawExchange(
    app.url,
    Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`, 'utf8'),
    3_000,
  );
  if (!/^HTTP\/1\.1 [1-4]\d\d /.test(answer)) {
    throw new Error(`${asked} ${target} was answered ${JSON.stringify(answer.slice(0, 200))}`);
  }
}

function requireOpen({ method: asked, target, endpoint }: RecordedRequest): void {
  const leak = routerToClosed(asked, target);
  if (leak !== undefined) throw new Error(`it passed through, and ${leak}`);
  const isClosed =
    endpoint !== undefined &&
    (CLOSED_AT_STUB.has(endpoint) ||
      (endpoint === 'devices' && asked === 'DELETE') ||
      (endpoint === 'threepid' && asked !== 'GET' && asked !== 'HEAD'));
  if (isClosed) throw new Error(`${asked} ${target} passed through to ${endpoint}`);
}
