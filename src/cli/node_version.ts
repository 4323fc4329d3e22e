/** The oldest Node that the program runs on, as in `package.json`. */
const OLDEST: readonly [major: number, minor: number] = [20, 19];

/**
 * What to say where Node is too old; undefined if it is not.
 *
 * @param version as in `process.versions.node`
 */
export function nodeComplaint(version: string): string | undefined {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const [oldestMajor, oldestMinor] = OLDEST;
  if (major > oldestMajor || (major === oldestMajor && minor >= oldestMinor)) return undefined;
  return `matrix-2fa-proxy needs Node ${OLDEST.join('.')} or newer; this is Node ${version}.`;
}
