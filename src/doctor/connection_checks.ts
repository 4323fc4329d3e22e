import { connect, isIP, type Socket } from 'node:net';
import { type PeerCertificate, rootCertificates, type TLSSocket, connect as tlsConnect } from 'node:tls';
import { PROBE_HEADER } from '../discovery/probes.ts';
import { HOUR, SECOND } from '../system/clock.ts';
import { type Finding, fail, type OutsideCheck, ok, skipped, warn } from './check.ts';
import { isProbeAnswer } from './installation.ts';
import type { PublicView } from './public_view.ts';
import { replyInWords } from './web.ts';

const PATIENCE_MS = 10 * SECOND;
const DAY = 24 * HOUR;
const SOON_MS = 14 * DAY;

export const tlsCheck: OutsideCheck = {
  id: 'tls',
  about: 'the certificate is right, and is so for two more weeks',
  outside: true,
  run: async (view) => {
    const url = new URL(view.publicUrl);
    if (url.protocol !== 'https:') return skipped(`${view.publicUrl} has no TLS`);
    const seen = await certificateOf(url, view.furtherCertificates);
    if (typeof seen === 'string') return skipped(`no TLS connection to ${view.publicUrl}: ${seen}`);
    return judgeCertificate(seen, view);
  },
};

interface SeenCertificate {
  /** Why it cannot be trusted; undefined if it can. */
  readonly fault: string | undefined;
  readonly certificate: PeerCertificate;
}

function judgeCertificate(
  { fault, certificate }: SeenCertificate,
  { publicUrl, nowMs }: PublicView,
): Finding {
  const tried = [`connected to ${publicUrl} by TLS`];
  if (fault !== undefined) {
    return fail(
      tried,
      `the certificate of ${publicUrl} is not right: ${fault}`,
      'give the web server a certificate for that name, with the whole chain, from an authority that clients trust',
    );
  }
  const leftMs = Date.parse(certificate.valid_to) - nowMs();
  if (leftMs >= SOON_MS) return ok(tried, `it is right until ${certificate.valid_to}`);
  const days = Math.max(0, Math.floor(leftMs / DAY));
  return warn(
    tried,
    `the certificate of ${publicUrl} ends in ${days} days (${certificate.valid_to})`,
    'renew it, and look why that did not happen by itself',
  );
}

function certificateOf(url: URL, further: string | undefined): Promise<SeenCertificate | string> {
  const socket = openTls(url, further);
  return new Promise((resolve) => {
    const settle = (seen: SeenCertificate | string): void => {
      socket.destroy();
      resolve(seen);
    };
    socket.setTimeout(PATIENCE_MS, () => settle('no answer'));
    socket.once('error', (error: NodeJS.ErrnoException) => settle(error.code ?? error.message));
    socket.once('secureConnect', () => {
      const { authorized, authorizationError } = socket;
      const fault = authorized ? undefined : String(authorizationError);
      settle({ fault, certificate: socket.getPeerCertificate() });
    });
  });
}

/** Connects whatever the certificate is: it is judged afterwards. */
function openTls({ hostname, port }: URL, further: string | undefined): TLSSocket {
  const host = hostname.replace(/^\[|\]$/g, '');
  return tlsConnect({
    host,
    port: Number(port || 443),
    ...(isIP(host) === 0 ? { servername: host } : {}),
    ...(further === undefined ? {} : { ca: [...rootCertificates, further] }),
    ALPNProtocols: ['http/1.1'],
    rejectUnauthorized: false,
  });
}

const UPLOAD = '/_matrix/media/v3/upload';
/** Synapse's default for `max_upload_size`. */
const USUAL_UPLOAD = 50 * 1024 * 1024;

export const bodySizeCheck: OutsideCheck = {
  id: 'body-size',
  about: 'the web server takes uploads as large as the homeserver does',
  outside: true,
  run: async ({ web, publicUrl, inside }) => {
    const without = await inside?.noPublicWay();
    if (without !== undefined) return skipped(without);
    const bytes = inside?.synapseFile?.uploadBytes ?? USUAL_UPLOAD;
    const size = `${Math.floor(bytes / 1024 / 1024)} MiB`;
    const tried = [`POST ${publicUrl}${UPLOAD}, which announces ${size}`];
    const said = await web.announceBody(publicUrl, UPLOAD, bytes);
    if (said !== 413) return ok(tried, `an upload of ${size} is not refused for its size`);
    return warn(
      tried,
      `an upload of ${size} is refused for its size`,
      'nginx: client_max_body_size 0; the homeserver has a limit of its own',
    );
  },
};

export const timeoutsCheck: OutsideCheck = {
  id: 'timeouts',
  about: 'a connection lives for 75 s (--slow)',
  outside: true,
  run: async (view) => {
    const { slowSeconds: seconds, inside, publicUrl } = view;
    if (seconds === undefined) return skipped('it takes 75 s: ask for it with --slow');
    const without = await inside?.noPublicWay();
    if (without !== undefined) return skipped(without);
    const nonce = await inside?.nonce();
    const [tried, cut] =
      nonce === undefined ? await idleConnection(view, seconds) : await lateAnswer(view, nonce, seconds);
    if (cut === undefined) return ok([tried], `a connection lives for ${seconds} s`);
    return fail(
      [tried],
      `${publicUrl}: ${cut}: long polls (/sync) break`,
      'nginx: proxy_read_timeout 15m, keepalive_timeout 80s; HAProxy: timeout server and client 15m (docs/install.md)',
    );
  },
};

type Tried = readonly [tried: string, cut: string | undefined];

async function lateAnswer({ web, publicUrl }: PublicView, nonce: string, seconds: number): Promise<Tried> {
  const target = `/_2fa/probe?wait=${seconds}`;
  const timeoutMs = seconds * SECOND + PATIENCE_MS;
  const reply = await web.ask(publicUrl, { target, headers: { [PROBE_HEADER]: nonce }, timeoutMs });
  const cut = isProbeAnswer(reply)
    ? undefined
    : `an answer that takes ${seconds} s is cut off (${replyInWords(reply)})`;
  return [`GET ${publicUrl}${target} with a probe`, cut];
}

/** From elsewhere no late answer can be had: but a connection must stay open while its client waits. */
async function idleConnection(view: PublicView, seconds: number): Promise<Tried> {
  const url = new URL(view.publicUrl);
  const socket = url.protocol === 'https:' ? openTls(url, undefined) : openPlain(url);
  socket.write(`GET /_matrix/client/versions HTTP/1.1\r\nHost: ${url.host}\r\n\r\n`);
  socket.resume();
  const isCut = await new Promise<boolean>((resolve) => {
    const waited = setTimeout(() => resolve(false), seconds * SECOND);
    const cut = (): void => {
      clearTimeout(waited);
      resolve(true);
    };
    socket.once('error', cut).once('end', cut).once('close', cut);
  });
  socket.destroy();
  const tried = `kept a connection to ${view.publicUrl} open for ${seconds} s`;
  return [tried, isCut ? `a connection without a request is closed before ${seconds} s` : undefined];
}

function openPlain({ hostname, port }: URL): Socket {
  return connect(Number(port || 80), hostname.replace(/^\[|\]$/g, ''));
}
