import type { CDPSession, Page } from 'playwright-core';

const USB = { protocol: 'ctap2', transport: 'usb', hasUserVerification: true, isUserVerified: true } as const;

/** A security key of Chromium, in the hand of a person who touches it at once. It is plugged into one page at a time. */
export class SecurityKey {
  private constructor(
    private session: CDPSession,
    private authenticatorId: string,
  ) {}

  static async plugInto(page: Page): Promise<SecurityKey> {
    return new SecurityKey(...(await plug(page)));
  }

  /** What it keeps, and how often it has signed, comes with it. */
  async moveTo(page: Page): Promise<void> {
    const { credentials } = await this.session.send('WebAuthn.getCredentials', {
      authenticatorId: this.authenticatorId,
    });
    await this.remove();
    [this.session, this.authenticatorId] = await plug(page);
    for (const credential of credentials) {
      await this.session.send('WebAuthn.addCredential', {
        authenticatorId: this.authenticatorId,
        credential,
      });
    }
  }

  async remove(): Promise<void> {
    await this.session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId: this.authenticatorId });
  }
}

async function plug(page: Page): Promise<[CDPSession, string]> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: { ...USB, automaticPresenceSimulation: true },
  });
  return [session, authenticatorId];
}
