import { rename, rm, writeFile } from 'node:fs/promises';
import { type Bob, lastUsedStep } from './cast.ts';
import type { ShownCode } from './phone.ts';
import { placesIn } from './places.ts';
import type { Scene } from './scene.ts';

const EVERY_MS = 300;

/** Keeps bob's next unused code in a file, so that printed command lines go on working. */
export class CodeFile {
  private timer: NodeJS.Timeout | undefined;
  private written = '';

  constructor(
    private readonly scene: Scene,
    private readonly bob: Bob,
  ) {}

  /** The code that is in the file from now on. */
  async refresh(): Promise<ShownCode> {
    const shown = this.bob.phone.freshCode(await lastUsedStep(this.scene, this.bob.account.userId));
    if (shown.code !== this.written) {
      const { code } = placesIn(this.scene.folder);
      // Renamed into place: who reads it at this moment sees the old code or the new one.
      await writeFile(`${code}.new`, shown.code, { mode: 0o600 });
      await rename(`${code}.new`, code);
      this.written = shown.code;
    }
    return shown;
  }

  keepFresh(): void {
    this.timer = setInterval(() => void this.refresh().catch(() => undefined), EVERY_MS);
  }

  async remove(): Promise<void> {
    clearInterval(this.timer);
    await rm(placesIn(this.scene.folder).code, { force: true });
  }
}
