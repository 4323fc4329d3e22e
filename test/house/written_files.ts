import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Every place where this project's own sentences stand. */
const ROOTS = [
  'src',
  'test',
  'bench',
  'tools',
  'demo',
  'deploy',
  'docs',
  'spec',
  'schemas',
  'README.md',
  'SECURITY.md',
  'CONTRIBUTING.md',
  'CHANGELOG.md',
  'config.sample.yaml',
];

const TEXTS = /\.(?:[jt]s|mjs|py|md|json|ya?ml|css|sh|conf|service|cfg|Caddyfile)$/;
/** What is not ours: recorded requests of clients, and what tools keep. */
const NOT_OURS = /(?:^|\/)(?:\.cache|recorded|node_modules)\//;

export interface WrittenFile {
  readonly file: string;
  readonly text: string;
}

/** The files that hold sentences of this project, with their text. */
export function writtenFiles(): WrittenFile[] {
  return ROOTS.flatMap(filesUnder)
    .filter((file) => TEXTS.test(file) && !NOT_OURS.test(file))
    .map((file) => ({ file, text: readFileSync(file, 'utf8') }));
}

function filesUnder(root: string): string[] {
  if (!statSync(root).isDirectory()) return [root];
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).map((file) => join(root, file));
}

/** `file:line: what was found`, for each match of `pattern`. */
export function findIn({ file, text }: WrittenFile, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)].map(
    (match) => `${file}:${text.slice(0, match.index).split('\n').length}: ${match[0]}`,
  );
}

/** The headings of a page, their anchors as Markdown renderers make them, and what paragraphs begin with in bold. */
export function headingsOf(page: string): Set<string> {
  const text = readFileSync(page, 'utf8');
  const headings = [...text.matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) => heading);
  const anchors = headings.map((heading) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}0-9 _-]/gu, '')
      .replaceAll(' ', '-'),
  );
  const bold = [...text.matchAll(/^(?:- |\d+\. )?\*\*([^*]+?)\.?\*\*/gm)].map(([, words = '']) => words);
  return new Set([...headings, ...anchors, ...bold]);
}
