/** What is wrong with a key file. */
export type KeyFileProblem = 'missing' | 'exists' | 'permissions' | 'unreadable' | 'malformed' | 'busy';

/** The keys, or the marks, cannot be used as they are. The message says what to do and never repeats the file's content (R11). */
export class KeyFileError extends Error {
  readonly problem: KeyFileProblem;
  readonly path: string;

  /** @param path of the file, or what else the keys come from */
  constructor(problem: KeyFileProblem, path: string, text: string, kind = 'key file') {
    super(`${kind} ${path}: ${text}`);
    this.name = 'KeyFileError';
    this.problem = problem;
    this.path = path;
  }
}
