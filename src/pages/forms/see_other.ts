import type { Answer } from '../../http/answer.ts';

/** Sends the browser on, with a GET. */
export function seeOther(location: string): Answer {
  return {
    status: 303,
    headers: {
      Location: location,
      'Referrer-Policy': 'no-referrer',
      'Cache-Control': 'no-store',
      'Content-Type': 'text/plain',
    },
    sameOrigin: true,
    body: Buffer.alloc(0),
  };
}
