/** What `serve` loads before it listens: packages that are large, or of use only where a setting asks for them, are not among it. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from '@jest/globals';
import { builtProgram } from '../support/built_program.ts';

const LATER = [
  'pg',
  'nodemailer',
  'prom-client',
  'pino-pretty',
  'date-holidays',
  'ical.js',
  '@simplewebauthn/server',
  // Of them only parts are loaded.
  'undici/index.js',
  'express/lib',
];

/** All that `require` has loaded, below `node_modules/`. */
function loadedBy(...modules: readonly string[]): string[] {
  const folder = join(builtProgram(), 'src');
  const script = `
    const load = require('node:module').createRequire(${JSON.stringify(join(folder, 'cli', 'main.js'))});
    Promise.all(${JSON.stringify(modules)}.map((each) => import(each)))
      .then(() => console.log(JSON.stringify(Object.keys(load.cache))));`;
  const files = JSON.parse(execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' })) as string[];
  return files.map((file) => file.slice(file.lastIndexOf('/node_modules/') + '/node_modules/'.length));
}

test('a start loads no package that is of use later, or never', () => {
  const folder = join(builtProgram(), 'src');
  const loaded = loadedBy(join(folder, 'cli', 'program.js'), join(folder, 'server', 'proxy.js'));
  const early = LATER.filter((name) =>
    loaded.some((file) => `${file}/`.startsWith(name.includes('.') ? name : `${name}/`)),
  );
  expect(early).toEqual([]);
  expect(loaded).toContain('undici/lib/dispatcher/pool.js');
});
