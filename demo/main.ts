import { nodeComplaint } from '../src/cli/node_version.ts';

// Before anything else is loaded: an old Node would fail in the middle of some library instead.
const complaint = nodeComplaint(process.versions.node);
if (complaint !== undefined) {
  process.stderr.write(`${complaint}\n`);
  process.exit(1);
}

const { runDemo } = await import('./run_demo.ts');
process.exit(await runDemo(process.argv.slice(2)));
