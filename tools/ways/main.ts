/**
 * `npm run ways [-- --files] [--json]`: how many files, folders and functions of `src/` one request of each kind runs,
 * beside the most files that are allowed. `--files` names the files. The exit code is 1 if a way is longer than allowed.
 */
import { parseArgs } from 'node:util';
import { type Followed, followWays } from './follow.ts';
import type { Extent } from './ways.ts';

const { values } = parseArgs({ options: { files: { type: 'boolean' }, json: { type: 'boolean' } } });

const followed = await followWays();
process.stdout.write(values.json ? `${JSON.stringify(followed.map(record))}\n` : table(followed));
if (!values.json && followed.some(isTooLong)) process.exitCode = 1;

function record({ way, extent, ran }: Followed): object {
  return { name: way.name, mostFiles: way.mostFiles, extent, files: filesOf(ran) };
}

function table(all: readonly Followed[]): string {
  const rows = all.map((each) => [
    each.way.name,
    inWords(each.extent),
    `${each.way.mostFiles}`,
    isTooLong(each) ? 'too long' : '',
  ]);
  const lines = [['way', 'files/folders/functions', 'files allowed', ''], ...rows].map(
    ([name = '', now = '', limit = '', verdict = '']) =>
      `${name.padEnd(20)}${now.padEnd(26)}${limit.padEnd(15)}${verdict}`.trimEnd(),
  );
  const lists = values.files ? all.flatMap(({ way, ran }) => ['', `${way.name}:`, ...filesOf(ran)]) : [];
  return `${[...lines, ...lists].join('\n')}\n`;
}

function inWords({ files, folders, functions }: Extent): string {
  return `${files}/${folders}/${functions}`;
}

function isTooLong({ way, extent }: Followed): boolean {
  return extent.files > way.mostFiles;
}

function filesOf(ran: Followed['ran']): string[] {
  return [...new Set(ran.map(({ file }) => file))].sort();
}
