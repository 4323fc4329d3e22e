/** What is wrong with a key file. */
export type KeyFileProblem = 'missing' | 'exists' | 'permissions' | 'unreadable' | 'malformed' | 'busy';

/** The key file cannot be used as it is. The message says what to do and never repeats the file's content (R11). */
export class KeyFileError extends Error {
  readonly problem: KeyFileProblem;
  readonly path: string;

  constructor(problem: KeyFileProblem, path: string, text: string) {
    super(`key file ${path}: ${text}`);
    this.name = 'KeyFileError';
    this.problem = problem;
    this.path = path;
  }
}
