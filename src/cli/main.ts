#!/usr/bin/env node
import { createRequire } from 'node:module';
import { nodeComplaint } from './node_version.ts';

// Before anything else is loaded: an old Node would fail in the middle of some library instead.
const complaint = nodeComplaint(process.versions.node);
if (complaint !== undefined) {
  process.stderr.write(`${complaint}\n`);
  process.exit(2);
}

// Until `serve` listens to it itself: a signal this early would end it, and systemd would not start it again.
if (process.argv[2] === 'serve') process.on('SIGHUP', () => undefined);

const { run, onProcess } = await program();
process.exit(await onProcess((surroundings) => run(process.argv.slice(2), surroundings)));

/**
 * By `require` where it takes ES modules (Node 20.19, 22.12 and newer): `import` goes through several turns of the event
 * loop for each of many hundred files. What is loaded then is there for each later `import`.
 */
async function program(): Promise<typeof import('./program.ts') & typeof import('./surroundings.ts')> {
  if (!process.features.require_module) {
    return { ...(await import('./program.ts')), ...(await import('./surroundings.ts')) };
  }
  const load = createRequire(import.meta.url);
  if (process.argv[2] === 'serve') load('../server/proxy.js');
  return { ...load('./program.js'), ...load('./surroundings.js') };
}
