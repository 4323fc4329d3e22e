/** Why the demo cannot go on: one sentence for the person who started it. */
export class DemoFailure extends Error {
  constructor(message: string, detail: { readonly cause?: unknown } = {}) {
    super(message, detail);
    this.name = 'DemoFailure';
  }
}
