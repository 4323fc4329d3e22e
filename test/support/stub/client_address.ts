import type { IncomingMessage } from 'node:http';

/** The address that a homeserver takes for the client's: the first header that it believes, or the peer. */
export function clientAddress(request: IncomingMessage, believedHeaders: readonly string[]): string {
  for (const name of believedHeaders) {
    const value = [request.headers[name]].flat().join(', ');
    const address = name === 'forwarded' ? /for="?([^;,"]+)/i.exec(value)?.[1] : value.split(',')[0]?.trim();
    if (address) return address;
  }
  return request.socket.remoteAddress ?? '';
}
