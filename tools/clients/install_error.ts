/** Clients cannot be installed here; the message is one sentence for a person. */
export class ClientInstallError extends Error {
  constructor(message: string, detail: { readonly cause?: unknown } = {}) {
    super(message, detail);
    this.name = 'ClientInstallError';
  }
}

/** The last lines of what a package manager said, in one line. */
export function lastWords(stderr: string): string {
  return stderr.trim().split('\n').slice(-3).join(' | ');
}
