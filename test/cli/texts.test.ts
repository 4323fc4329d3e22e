import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { pages as german } from '../../src/pages/texts/de/pages.ts';
import { sie } from '../../src/pages/texts/de/sie.ts';
import { pages as english } from '../../src/pages/texts/en/pages.ts';
import { startApp, type TestApp } from '../support/app.ts';
import { type CommandLine, commandLine } from './command_line.ts';

let app: TestApp;
let line: CommandLine;
beforeAll(async () => {
  app = await startApp({ config: 'trusted_proxies: [127.0.0.1]' });
  mkdirSync(join(app.directory, 'texts'));
  appendFileSync(join(app.directory, 'config.yaml'), '\nbrand: { texts: texts }\n');
  line = commandLine();
});
afterAll(async () => {
  line.remove();
  await app.stop();
});

test.each<[string[], object]>([
  [[], english],
  [['--language', 'de'], german],
  [['--language', 'de', '--german', 'sie'], { ...german, ...sie }],
  [['--language', 'fr'], english],
])('texts %j prints YAML', async (options, texts) => {
  const { code, out, err } = await line.type('texts', ...options);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(parse(out)).toEqual(texts);
});

test.each([
  [['--language', '../x'], '--language must be the tag of a language'],
  [['--german', 'ihr'], '--german must be du or sie'],
])('texts %j is wrong usage', async (options, text) => {
  const { code, err } = await line.type('texts', ...options);
  expect(code).toBe(2);
  expect(err).toContain(text);
});

test('what is printed can be used as it is; a wrong text ends every command with 2', async () => {
  const config = ['--config', join(app.directory, 'config.yaml')];
  const file = join(app.directory, 'texts', 'fr.yaml');
  const { out } = await line.type('texts', '--language', 'fr');
  writeFileSync(file, out);
  expect(await line.type('check-config', ...config)).toMatchObject({ code: 0, err: '' });

  writeFileSync(file, 'signIn.title: Connexion');
  const checked = await line.type('check-config', ...config);
  expect(checked.code).toBe(0);
  expect(checked.err).toMatch(/^note: .*fr\.yaml: \d+ of \d+ texts are missing and shown in English/);

  writeFileSync(file, '# x\nsignIn.titre: Connexion');
  for (const words of [['check-config'], ['user', 'list'], ['serve']]) {
    const { code, err } = await line.type(...words, ...config);
    expect([code, err]).toEqual([
      2,
      `matrix-2fa-proxy: ${file}:2: signIn.titre: there is no such text; did you mean "signIn.title"?`,
    ]);
  }
  expect((await line.type('doctor', ...config)).code).toBe(2);
});
