import { connect, type Socket } from 'node:net';

const CLIENT = '/_matrix/client/v3';
export const TARGETS = [
  `GET ${CLIENT}/sync`,
  'POST /_matrix/media/v3/upload',
  `POST ${CLIENT}/login`,
  `POST ${CLIENT}/delete_devices`,
  `POST ${CLIENT}/account/two-factor/totp`,
  'POST /_2fa/login',
  'GET /_2fa/ready',
] as const;
export const POINTS = [
  'connected',
  'in the head',
  'before the body',
  'in the body',
  'after the body',
  'in the answer',
] as const;
export const ACTIONS = ['hangs up', 'resets', 'half-closes', 'stalls'] as const;

type Point = (typeof POINTS)[number];
type Action = (typeof ACTIONS)[number];

export interface Visit {
  readonly target: string;
  readonly point: Point;
  readonly action: Action;
}

/** What the client sends up to the point, and what of the answer it waits for there. */
function bytesUpTo(target: string, point: Point): string {
  const isForm = target.endsWith('/_2fa/login');
  const body = target.startsWith('GET')
    ? ''
    : isForm
      ? `step=password&user=bob&password=${'p'.repeat(3000)}`
      : `{"type":"m.login.password","identifier":{"type":"m.id.user","user":"bob"},"devices":["A"],"password":"${'p'.repeat(3000)}"}`;
  const head = [
    `${target} HTTP/1.1`,
    'Host: x',
    'Authorization: Bearer secret',
    `Content-Type: application/${isForm ? 'x-www-form-urlencoded' : 'json'}`,
    ...(body === '' ? [] : [`Content-Length: ${body.length}`]),
    '',
    '',
  ].join('\r\n');
  if (point === 'connected') return '';
  if (point === 'in the head') return head.slice(0, 30);
  if (point === 'before the body') return head;
  return head + (point === 'in the body' ? body.slice(0, 1500) : body);
}

function act(socket: Socket, action: Action): void {
  if (action === 'hangs up') socket.destroy();
  else if (action === 'resets') socket.resetAndDestroy();
  else if (action === 'half-closes') socket.end();
}

/** Resolves with what came back, once the connection is over: `undefined` if the client lost its patience. */
export function visit(
  port: number,
  { target, point, action }: Visit,
  patienceMs: number,
): Promise<string | undefined> {
  return new Promise((resolve) => {
    let received = '';
    const socket = connect(port, '127.0.0.1');
    const patience = setTimeout(() => {
      resolve(undefined);
      socket.destroy();
    }, patienceMs);
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(patience);
      resolve(received);
    });
    socket.once('connect', () => {
      const bytes = bytesUpTo(target, point);
      if (point === 'in the answer') socket.write(bytes);
      else if (bytes === '') act(socket, action);
      else socket.write(bytes, () => act(socket, action));
    });
    socket.on('data', (chunk) => {
      received += chunk.toString('latin1');
      if (point === 'in the answer') act(socket, action);
      if (action === 'stalls' && received.includes('\r\n\r\n')) socket.end();
    });
  });
}
