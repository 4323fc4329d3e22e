import type { HttpAnswer } from '../support/http.ts';
import type { Measured, Probe, ProbedHomeserver } from './probe.ts';

const VERSIONS = '/_matrix/client/versions';

/** The status line of what came back over a raw connection, as an answer. */
async function rawStatus(homeserver: ProbedHomeserver, bytes: string): Promise<HttpAnswer> {
  const text = await homeserver.raw(bytes);
  const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));
  const status = statuses.find((one) => one !== 100) ?? 0;
  return { status, headers: {}, rawHeaders: [], bytes: Buffer.alloc(0), text: '', json: {} };
}

const RAW: readonly (readonly [name: string, bytes: string, Measured])[] = [
  [
    'Expect: x',
    `GET ${VERSIONS} HTTP/1.1\r\nHost: h\r\nExpect: x\r\nConnection: close\r\n\r\n`,
    ['200', '417', '200', '200'],
  ],
  [
    'a length and chunks',
    `POST ${VERSIONS} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n`,
    ['400', '405', '405', '405'],
  ],
  [
    'two lengths',
    `POST ${VERSIONS} HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\nContent-Length: 3\r\nConnection: close\r\n\r\n{}`,
    ['400', '400', '400', '400'],
  ],
];

const TARGETS: readonly (readonly [target: string, Measured])[] = [
  ['/_matrix/client/v1/auth_metadata', ['404', '404', '404', '404', '200']],
  ['/_matrix/client/unstable/org.matrix.msc2965/auth_metadata', ['404', '404', '404', '404', '200']],
  ['/.well-known/matrix/client', ['404', '404', '200', '404 M_NOT_FOUND']],
  [VERSIONS, ['200', '200', '200', '200']],
];

/** What differs in transport: framing, sizes, headers (docs/homeservers.md). */
export const TRANSPORT_PROBES: readonly Probe[] = [
  ...RAW.map(
    ([name, bytes, measured]): Probe => ({
      name,
      measured,
      run: async (homeserver) => [await rawStatus(homeserver, bytes)],
    }),
  ),
  ...TARGETS.map(
    ([target, measured]): Probe => ({
      name: `GET ${target}`,
      measured,
      run: async (homeserver) => [await homeserver.call({ target })],
    }),
  ),
  {
    name: 'more than 100 headers',
    measured: ['200', '200', '431', '431'],
    run: async (homeserver) => {
      const headers = Object.fromEntries(Array.from({ length: 120 }, (_, at) => [`x-${at}`, 'x']));
      return [await homeserver.call({ target: VERSIONS, headers })];
    },
  },
];
