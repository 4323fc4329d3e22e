import { expect, test } from '@jest/globals';
import { downstreamHeaders, upstreamHeaders } from '../../src/gateway/forwarding.ts';
import { keptBytes } from '../support/kept_memory.ts';

const CLIENT = { ip: '192.0.2.1', proto: 'https', host: 'matrix.example.org' } as const;

test('attack 124: names of headers are not remembered when they are long, and go on all the same', async () => {
  const kept = await keptBytes(() => {
    for (let turn = 0; turn < 2000; turn++) {
      const name = `x-${'y'.repeat(15_000)}${turn}`;
      expect(upstreamHeaders([name, '1'], CLIENT).headers.slice(0, 2)).toEqual([name, '1']);
      expect(downstreamHeaders([Buffer.from(name), Buffer.from('1')])).toEqual([name, '1']);
    }
  }, 5_000_000);
  expect(kept).toBeLessThan(5_000_000);
});
