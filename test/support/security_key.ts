import type { CDPSession, Page } from 'playwright-core';

const USB = { protocol: 'ctap2', transport: 'usb', hasUserVerification: true, isUserVerified: true } as const;

/** What else it is; by itself it is a key for USB that keeps no passkeys. */
interface Kind {
  readonly transport?: 'usb' | 'internal';
  readonly hasResidentKey?: boolean;
  /** False: a touch is all that it knows, as with the first security keys. */
  readonly hasUserVerification?: boolean;
}

interface Credential {
  readonly credentialId: string;
  readonly isResidentCredential: boolean;
  readonly privateKey: string;
  readonly signCount: number;
}

/** A security key of Chromium, in the hand of a person who touches it at once. It is plugged into one page at a time. */
export class SecurityKey {
  private constructor(
    private session: CDPSession,
    private authenticatorId: string,
    private readonly kind: Kind,
  ) {}

  static async plugInto(page: Page, kind: Kind = {}): Promise<SecurityKey> {
    return new SecurityKey(...(await plug(page, kind)), kind);
  }

  /** What it keeps, and how often it has signed, comes with it. */
  async moveTo(page: Page): Promise<void> {
    const { credentials } = await this.session.send('WebAuthn.getCredentials', {
      authenticatorId: this.authenticatorId,
    });
    await this.remove();
    [this.session, this.authenticatorId] = await plug(page, this.kind);
    await this.learn(credentials);
  }

  /** As a copy does that was made when it was new. */
  async countFromTheBeginning(): Promise<void> {
    const { session, authenticatorId } = this;
    const { credentials } = await session.send('WebAuthn.getCredentials', { authenticatorId });
    await session.send('WebAuthn.clearCredentials', { authenticatorId });
    await this.learn(credentials.map((credential) => ({ ...credential, signCount: 0 })));
  }

  /** Keeps what another one keeps, too. */
  async learn(credentials: readonly Credential[]): Promise<void> {
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

async function plug(page: Page, kind: Kind): Promise<[CDPSession, string]> {
  const session = await page.context().newCDPSession(page);
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: { ...USB, ...kind, automaticPresenceSimulation: true },
  });
  return [session, authenticatorId];
}

/**
 * Has nothing offered in the field for the name: Chromium's virtual authenticators answer that question at once, and the
 * person would be signed in before they press anything.
 */
export async function offerNothingInFields(page: Page): Promise<void> {
  await page.addInitScript(`globalThis.PublicKeyCredential &&
    (PublicKeyCredential.isConditionalMediationAvailable = () => Promise.resolve(false))`);
}
