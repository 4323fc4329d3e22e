#!/usr/bin/env node
import { nodeComplaint } from './node_version.ts';

// Before anything else is loaded: an old Node would fail in the middle of some library instead.
const complaint = nodeComplaint(process.versions.node);
if (complaint !== undefined) {
  process.stderr.write(`${complaint}\n`);
  process.exit(2);
}

// Until `serve` listens to it itself: a signal this early would end it, and systemd would not start it again.
if (process.argv[2] === 'serve') process.on('SIGHUP', () => undefined);

const { run } = await import('./program.ts');
const { processSurroundings } = await import('./surroundings.ts');
process.exit(await run(process.argv.slice(2), processSurroundings()));
