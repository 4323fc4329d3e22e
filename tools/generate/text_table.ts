import { pages as english } from '../../src/pages/texts/en/pages.ts';
import { languageFolders } from '../../src/pages/texts/folders.ts';
import type { TextKey, Translation } from '../../src/pages/texts/keys.ts';
import type { Product } from './product.ts';

const HEAD = `# Texts of the pages

Every text that a person reads on the pages, as \`src/pages/texts/\` has it: written by \`npm run generate\`. \`{…}\` are
places that are filled. \`a ‖ b\` are the forms that go with a number, in the order zero, one, two, few, many, other; a
language has only some of them.
`;

/** `docs/texts.md`: every key with its texts, a section for each beginning of keys. */
export function textTable(): Product[] {
  const tags = ['en', ...[...languageFolders.keys()].filter((tag) => tag !== 'en')];
  const keys = keysOf(english);
  const tables = [...new Set(keys.map(sectionOf))].map((section) => {
    const columns = tags.map((tag) => ({ title: tag, texts: languageFolders.get(tag)?.pages ?? {} }));
    return `\n## ${section}\n\n${table(
      keys.filter((key) => sectionOf(key) === section),
      columns,
    )}`;
  });
  return [{ file: 'docs/texts.md', content: HEAD + tables.join('') + variantTables().join('') }];
}

/** Only the texts that differ. */
function variantTables(): string[] {
  return [...languageFolders].flatMap(([tag, { variants }]) =>
    [...variants].map(([name, texts]) => {
      const columns = [{ title: `${tag}, ${name}`, texts }];
      return `\n## Variant ${name} of ${tag}\n\n${table(keysOf(texts), columns)}`;
    }),
  );
}

function table(
  keys: readonly TextKey[],
  columns: readonly { readonly title: string; readonly texts: Translation }[],
): string {
  const head = [
    ['key', ...columns.map(({ title }) => title)],
    ['---', ...columns.map(() => '---')],
  ];
  const rows = keys.map((key) => [`\`${key}\``, ...columns.map(({ texts }) => texts[key] ?? '')]);
  return [...head, ...rows].map((cells) => `| ${cells.join(' | ')} |\n`).join('');
}

/** `signIn` of `signIn.title` */
function sectionOf(key: TextKey): string {
  return key.slice(0, key.indexOf('.'));
}

function keysOf(texts: Translation): TextKey[] {
  return Object.keys(texts) as TextKey[];
}
