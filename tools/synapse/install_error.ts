/** Why a Synapse could not be installed. */
export type InstallProblem = 'no_python' | 'no_venv' | 'pip_failed' | 'busy';

/** Synapse cannot be installed here; the message is one sentence for a person. */
export class SynapseInstallError extends Error {
  constructor(
    readonly problem: InstallProblem,
    message: string,
    detail: { readonly cause?: unknown } = {},
  ) {
    super(message, detail);
    this.name = 'SynapseInstallError';
  }
}
