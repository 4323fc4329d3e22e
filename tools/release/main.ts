/** `npm run release`: makes the package of this commit, its SBOM and their digests in `release/`. */
import { ReleaseRefused, release } from './release.ts';

try {
  for (const file of release(process.cwd())) process.stdout.write(`release/${file}\n`);
} catch (error) {
  if (!(error instanceof ReleaseRefused)) throw error;
  process.stderr.write(`No release: ${error.message}\n`);
  process.exitCode = 1;
}
