import { spawnSync } from 'node:child_process';

/**
 * Loads one of our modules as it is built and shipped: what runs the TypeScript of the benches wraps every function,
 * which would be measured too.
 * @param file below `dist/`
 */
export async function importBuilt<Module>(file: string): Promise<Module> {
  return (await import(new URL(`../../dist/${file}`, import.meta.url).href)) as Module;
}

/**
 * Builds what is measured.
 * @param cwd the tree that is built
 * @throws Error if it does not build
 */
export function build(cwd = process.cwd()): void {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], { cwd, stdio: 'inherit' });
  if (status !== 0) throw new Error('the build failed: nothing can be measured');
}
