import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize, sep } from 'node:path';
import { parseSync } from '@swc/core';

/** The files of `folder` with what each imports from within it, both as paths relative to it. */
export function importsUnder(folder: string): Map<string, string[]> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) =>
    file.endsWith('.ts'),
  );
  return new Map(files.map((file) => [file, importsOf(folder, file)]));
}

/** Type imports and those at run time count as well: a circle of types is one, too. */
function importsOf(folder: string, file: string): string[] {
  const parsed = parseSync(readFileSync(join(folder, file), 'utf8'), {
    syntax: 'typescript',
    target: 'es2022',
  });
  const named: string[] = [];
  visit(parsed.body, (node) => {
    const from = importedBy(node);
    if (from?.startsWith('.') === true) named.push(normalize(join(dirname(file), from)));
  });
  return named;
}

/** A node of the parsed file: which one is told by its `type`. */
export type Node = Readonly<Record<string, unknown>>;

function importedBy(node: Node): string | undefined {
  if (node.type === 'CallExpression') {
    const [argument] = node.arguments as { expression: Node }[];
    const isImport = (node.callee as Node).type === 'Import';
    return isImport ? (argument?.expression.value as string) : undefined;
  }
  const isDeclaration = ['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration'].includes(
    String(node.type),
  );
  return isDeclaration ? ((node.source as Node | null)?.value as string | undefined) : undefined;
}

/** Shows `look` every node below `value`. */
export function visit(value: unknown, look: (node: Node) => void): void {
  if (typeof value !== 'object' || value === null) return;
  if (!Array.isArray(value)) look(value as Node);
  for (const inner of Object.values(value)) visit(inner, look);
}

/** The folder directly under the root that a file stands in; the file's own name at the root. */
export function folderOf(file: string): string {
  return file.split(sep, 1)[0] ?? file;
}

/** One circle of imports, if there is any. */
export function findCircle(imports: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const follow = (file: string, way: readonly string[]): string[] | undefined => {
    if (way.includes(file)) return [...way.slice(way.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of imports.get(file) ?? []) {
      const circle = follow(next, [...way, file]);
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of imports.keys()) {
    const circle = follow(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
