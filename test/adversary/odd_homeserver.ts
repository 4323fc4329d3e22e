import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What a homeserver does with the requests on a connection. */
type Manner = (socket: Socket) => void;

const ANSWERS: readonly (readonly [path: string, json: string])[] = [
  ['/account/whoami', '{"user_id":"@bob:example.org","device_id":"DEV"}'],
  ['/login', '{"user_id":"@bob:example.org","access_token":"secret","device_id":"DEV"}'],
];

function answerTo(head: string): string {
  const json = ANSWERS.find(([path]) => head.includes(path))?.[1] ?? '{}';
  return `HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: ${json.length}\r\n\r\n${json}`;
}

/** Calls `then` once the head of a request has arrived, and `done` once all of it has. */
function read(socket: Socket, then: (head: string) => void, done: (head: string) => void = () => {}): void {
  let received = '';
  let told = false;
  socket.on('data', (chunk) => {
    received += chunk.toString('latin1');
    const end = received.indexOf('\r\n\r\n');
    if (end === -1) return;
    const head = received.slice(0, end);
    if (!told) then(head);
    told = true;
    if (!isWhole(head, received.slice(end + 4))) return;
    received = '';
    told = false;
    done(head);
  });
}

function isWhole(head: string, body: string): boolean {
  const length = /content-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) return body.length >= Number(length);
  return /transfer-encoding/i.test(head) ? body.endsWith('0\r\n\r\n') : true;
}

const nothing = (): void => undefined;
const early = (status: string, more = '') => `HTTP/1.1 ${status}\r\nContent-Length: 2\r\n${more}\r\n{}`;

/** The homeservers that attack 117 speaks of. */
export const MANNERS: Readonly<Record<string, Manner>> = {
  up: (socket) => read(socket, nothing, (head) => socket.write(answerTo(head))),
  slow: (socket) =>
    read(socket, nothing, (head) => {
      const answer = answerTo(head);
      socket.write(answer.slice(0, 40));
      setTimeout(() => socket.write(answer.slice(40)), 30);
    }),
  silent: (socket) => read(socket, nothing),
  deaf: (socket) => socket.pause(),
  'resetting a connection': (socket) => socket.resetAndDestroy(),
  'resetting at the head': (socket) => read(socket, () => socket.resetAndDestroy()),
  'resetting in its answer': (socket) =>
    read(socket, nothing, (head) =>
      socket.write(answerTo(head).slice(0, -1), () => socket.resetAndDestroy()),
    ),
  'half-closing at once': (socket) => {
    socket.resume();
    socket.end();
  },
  'half-closing at the head': (socket) => read(socket, () => socket.end()),
  'half-closing in its answer': (socket) =>
    read(socket, nothing, (head) => socket.end(answerTo(head).slice(0, -1))),
  'answering 413 early': (socket) => read(socket, () => socket.write(early('413 Payload Too Large'))),
  'answering 429 early, and closing': (socket) =>
    read(socket, () => socket.end(early('429 Too Many Requests', 'Connection: close\r\n'))),
  'answering 413 early, and resetting': (socket) =>
    read(socket, () => socket.write(early('413 Payload Too Large'), () => socket.resetAndDestroy())),
};

/** A homeserver whose manner changes, and that can be away for a while. */
export class OddHomeserver {
  private manner: Manner = nothing;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  static async start(): Promise<OddHomeserver> {
    const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const homeserver = new OddHomeserver(server, (server.address() as AddressInfo).port);
    server.on('connection', (socket) => homeserver.take(socket));
    return homeserver;
  }

  behave(manner: Manner): void {
    this.manner = manner;
    for (const socket of this.sockets) socket.destroy();
  }

  /** Connections are refused. */
  async goDown(): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }

  private take(socket: Socket): void {
    this.sockets.add(socket);
    socket.on('error', nothing);
    socket.on('close', () => this.sockets.delete(socket));
    this.manner(socket);
  }
}
