import { readdirSync } from 'node:fs';
import type { Translation } from './keys.ts';

/** What the folder of a language holds. */
interface LanguageFolder {
  readonly pages: Translation;
  /** By name, e.g. `sie`: only the texts that differ. */
  readonly variants: ReadonlyMap<string, Translation>;
}

const HERE = new URL('./', import.meta.url);
/** `pages.ts`, or `pages.js` where the program is built; not `pages.d.ts`. */
const MODULE = /^(\w+)\.[jt]s$/;

/** Every language that has a folder here, by its tag. A new folder is a new language. */
export const languageFolders: ReadonlyMap<string, LanguageFolder> = await readFolders();

async function readFolders(): Promise<Map<string, LanguageFolder>> {
  const folders = readdirSync(HERE, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  const read = folders.map(async ({ name }) => [name, await readFolder(name)] as const);
  return new Map(await Promise.all(read));
}

async function readFolder(tag: string): Promise<LanguageFolder> {
  const variants = new Map<string, Translation>();
  for (const file of readdirSync(new URL(`${tag}/`, HERE))) {
    const name = MODULE.exec(file)?.[1];
    if (name === undefined) continue;
    const module: Readonly<Record<string, Translation>> = await import(`./${tag}/${file}`);
    variants.set(name, module[name] ?? {});
  }
  const pages = variants.get('pages') ?? {};
  variants.delete('pages');
  return { pages, variants };
}
