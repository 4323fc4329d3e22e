import { readFileSync } from 'node:fs';
import { stringify } from 'yaml';
import { configSchema } from '../../src/config/config_schema.ts';
import { SECTIONS, SETTINGS, type SettingRow } from '../../src/config/settings.ts';
import { VARIABLES } from '../../src/config/source.ts';
import type { Product } from './product.ts';

const PAGE = 'docs/configure.md';

const SAMPLE_HEAD = `# Every setting of matrix-2fa-proxy with its default; a file needs only what differs.
# docs/configure.md says more. Paths are relative to this file. Durations: 30s, 5m, 2h, 7d, or seconds.
# Check a file with: matrix-2fa-proxy check-config --config FILE
`;

/** All that follows from the table of settings. */
export function settingsFiles(): Product[] {
  return [
    { file: 'schemas/config.json', content: configSchema() },
    { file: 'config.sample.yaml', content: sample() },
    { file: PAGE, content: pageWith({ settings: settingsTable(), variables: variablesTable() }) },
  ];
}

/** The page with its tables written again; its other text stays. */
function pageWith(tables: Readonly<Record<string, string>>): string {
  return Object.entries(tables).reduce(
    (page, [name, table]) => {
      const begin = `<!-- ${name}: written by npm run generate from src/config/settings.ts -->\n`;
      const [before, rest] = page.split(begin);
      const after = rest?.split(`<!-- end of ${name} -->`)[1];
      if (before === undefined || after === undefined)
        throw new Error(`${PAGE} has no place for the ${name}`);
      return `${before}${begin}\n${table}\n<!-- end of ${name} -->${after}`;
    },
    readFileSync(PAGE, 'utf8'),
  );
}

function settingsTable(): string {
  const rows = (SETTINGS as readonly SettingRow[]).map((row) => {
    const byDefault = row.default === undefined ? '–' : `\`${yamlOf(row.default)}\``;
    return `| \`${row.path}\` | ${byDefault} | ${row.doc}${rangeOf(row)}${row.reload ? ' Read again at SIGHUP.' : ''} |\n`;
  });
  return `| setting | default | what it is for |\n|---|---|---|\n${rows.join('')}`;
}

function rangeOf({ min, max }: SettingRow): string {
  return min === undefined || max === undefined ? '' : ` From ${min} to ${max}.`;
}

function variablesTable(): string {
  const rows = [...VARIABLES].map(([variable, path]) => `| \`${variable}\` | \`${path.join('.')}\` |\n`);
  return `| variable | setting |\n|---|---|\n${rows.join('')}`;
}

function sample(): string {
  const begun = new Set<string>();
  const parts = (SETTINGS as readonly SettingRow[]).map((row) => [
    ...sectionsAbove(row, begun),
    ...(row.path.includes('.') ? [] : ['', ...commented(row.note ?? '')]),
    settingLine(row),
  ]);
  return `${SAMPLE_HEAD}${parts.flat().join('\n')}\n`;
}

/** The lines that open the sections of a setting, where they are not open yet. */
function sectionsAbove({ path }: SettingRow, begun: Set<string>): string[] {
  const opened = SECTIONS.filter(
    (section) => path.startsWith(`${section.path}.`) && !begun.has(section.path),
  );
  return opened.flatMap((section) => {
    begun.add(section.path);
    const line = `${indentOf(section.path)}${nameOf(section.path)}:`;
    return section.path.includes('.')
      ? [`${line} # ${inPlainWords(section.doc)}`]
      : ['', ...commented(inPlainWords(section.doc)), line];
  });
}

function settingLine(row: SettingRow): string {
  const isSet = row.default !== undefined || row.needed === true;
  const value = row.default === undefined ? row.example : yamlOf(row.default);
  const note = row.path.includes('.') && row.note !== undefined ? ` # ${row.note}` : '';
  return `${indentOf(row.path)}${isSet ? '' : '# '}${nameOf(row.path)}: ${value}${note}`;
}

function commented(text: string): string[] {
  return text.split('\n').map((line) => `# ${line}`);
}

function inPlainWords(markdown: string): string {
  return markdown.replaceAll('`', '');
}

function yamlOf(value: Exclude<SettingRow['default'], undefined>): string {
  return stringify(value, { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 }).trim();
}

function indentOf(path: string): string {
  return '  '.repeat(path.split('.').length - 1);
}

function nameOf(path: string): string {
  return path.split('.').at(-1) ?? path;
}
