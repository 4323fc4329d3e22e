/**
 * `npm run generate`: writes the files that are derived from the code, and has biome format them. One file here for
 * each kind of product; `test/tools/generate.test.ts` compares what it makes with what is committed.
 */
import { writeFileSync } from 'node:fs';
import { adminDescription } from './admin_description.ts';
import { answerTypes } from './answer_types.ts';
import { factorSchemas } from './factor_schemas.ts';
import { settingsFiles } from './settings_files.ts';
import { textTable } from './text_table.ts';

for (const { file, content } of [
  ...factorSchemas(),
  ...settingsFiles(),
  ...answerTypes(),
  ...adminDescription(),
  ...textTable(),
]) {
  writeFileSync(file, typeof content === 'string' ? content : `${JSON.stringify(content, undefined, 2)}\n`);
  process.stdout.write(`${file}\n`);
}
