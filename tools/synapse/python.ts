import { SynapseInstallError } from './install_error.ts';
import { runCommand } from './run_command.ts';

/** Names under which systems offer Python 3, the usual one first. */
const CANDIDATES = ['python3', 'python3.13', 'python3.12', 'python3.11', 'python3.10', 'python'];

/** The oldest Python that Synapse supports. */
const OLDEST_MINOR = 10;

/** Debian ships `venv` without `ensurepip` unless python3-venv is installed: both are needed. */
const DESCRIBE = `
import sys
print(sys.version_info[0], sys.version_info[1])
try:
    import venv, ensurepip
    print("venv")
except ImportError:
    print("no venv")
`;

/**
 * A Python that can make virtual environments.
 *
 * @returns the name of the program
 * @throws SynapseInstallError `no_python` or `no_venv`
 */
export async function findPython(candidates: readonly string[] = CANDIDATES): Promise<string> {
  let sawPythonWithoutVenv = false;
  for (const candidate of candidates) {
    const described = await runCommand(candidate, ['-c', DESCRIBE]);
    if (described.code !== 0) continue;
    const [version = '', venv = ''] = described.stdout.trim().split('\n');
    if (!isNewEnough(version)) continue;
    if (venv === 'venv') return candidate;
    sawPythonWithoutVenv = true;
  }
  if (sawPythonWithoutVenv) {
    throw new SynapseInstallError(
      'no_venv',
      'Python is here but cannot make virtual environments: install its venv module (Debian, Ubuntu: apt install python3-venv).',
    );
  }
  throw new SynapseInstallError(
    'no_python',
    `Synapse needs Python 3.${OLDEST_MINOR} or newer, and none was found: install python3 and python3-venv.`,
  );
}

function isNewEnough(version: string): boolean {
  const [major, minor] = version.split(' ').map(Number);
  return major === 3 && minor !== undefined && minor >= OLDEST_MINOR;
}
