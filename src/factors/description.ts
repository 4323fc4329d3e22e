import type { Json, JsonObject, SecondFactorStage } from '../matrix/wire.ts';
import type { Decision, Write } from '../storage/statement.ts';
import type { Language, Wording } from '../system/languages.ts';

/** How a code is told from other input where one field takes several kinds. */
export interface TypedProof {
  /** Where its codes are digits that an app shows: how many. Pages say so. */
  readonly digits?: number;
  /** The code in what was typed into a field for codes; undefined if it is not one of this factor. */
  read(typed: string): string | undefined;
  /** The code at the end of a password field, with what stands before it; undefined if there is none of this factor. */
  tail(field: string): { readonly password: string; readonly code: string } | undefined;
}

/** What happened with a factor, for its owner, by the last part of the event's name: `used` of `totp.used`. */
export type EventTexts = Readonly<Record<string, Wording>> & { readonly used: Wording };

/** What an authenticator is from its confirmation on. */
export interface ConfirmedAuthenticator {
  /** What its proofs are judged by. It is kept sealed. */
  readonly secret: Buffer;
  /** The step or counter of the first proof: it is spent. */
  readonly lastStep: number;
  /** What else is kept with the authenticator of this id, in the tables of the factor. */
  readonly claim?: (authenticatorId: string) => AuthenticatorClaim;
}

/** A write that the confirmation of a set-up needs to win: without it no authenticator is added. */
export interface AuthenticatorClaim {
  readonly take: Decision<unknown>;
  /** Takes it back where the set-up turns out to be gone. */
  readonly giveBack: Write;
}

/** What pages show of a secret that an app takes, before its first code. */
export interface ShownSecret {
  /** Opens an app on the same device; also as a QR code. */
  readonly link: string;
  /** To be typed into an app. */
  readonly key: string;
  /** How many digits the app's codes have. */
  readonly digits: number;
}

/** What pages show of a set-up. */
export type SetUpPage = SecretPage | NewPasskeyPage;

/** A secret for an app, without a script. The first proof is a code, typed into a field for codes. */
export interface SecretPage {
  readonly is: 'secret';
  shown(userId: string, secret: Buffer): ShownSecret;
}

/** A question that the browser answers with a new credential, which is the first proof. */
export interface NewPasskeyPage {
  readonly is: 'passkey';
  /** The options of the browser (Web Authentication, Level 3), as `begin` told them. */
  question(userId: string, secret: Buffer): Promise<JsonObject>;
}

/** How users turn a primary factor on. It keeps nothing itself: its secret is kept sealed between the two requests. */
export interface FactorSetUp {
  /** What an authenticator is called whose owner gave it no name. */
  readonly usualName: string;
  /** What a page says that a request is about: “An app wants to: …”. */
  readonly deeds: { readonly setUp: Wording; readonly remove: Wording };
  /** Without it pages do not offer the factor during a sign-in. */
  readonly page?: SetUpPage;
  /** A secret for an authenticator, and what the client is told of it. */
  begin(userId: string): Promise<{ readonly secret: Buffer; readonly answer: JsonObject }>;
  /** @throws Refusal bad_json, missing_param: nothing was judged or counted */
  read(body: JsonObject | undefined): { readonly setupId: string; readonly proof: Json };
  /** Undefined if the first proof is wrong. */
  confirm(userId: string, secret: Buffer, proof: Json): Promise<ConfirmedAuthenticator | undefined>;
}

/** What pages show of a factor whose proof is not a code for the field that takes all codes. */
export type FactorPage = TypedAnswerPage | PasskeyPage;

interface AnyFactorPage {
  /** The form field that holds the proof; no other factor has it. */
  readonly field: string;
  /** The proof in what was sent in the field; undefined if there is none. */
  read(sent: string): Json | undefined;
}

/** A question that users answer in words. */
export interface TypedAnswerPage extends AnyFactorPage {
  readonly is?: 'answer';
  readonly label: Wording;
  readonly submit: Wording;
  /** What is told of a proof that was not accepted, whatever the reason (attack 87). */
  readonly refused: Wording;
  /** What the user is asked, in words. Scripts find `params` in the form, as JSON in `data-params`. */
  question(params: JsonObject, language: Language): string;
}

/**
 * A question that the browser answers (Web Authentication, Level 3): `params.public_key` are its options. Its words are
 * those of the pages.
 */
export interface PasskeyPage extends AnyFactorPage {
  readonly is: 'passkey';
}

/** What a factor says of itself. Everything that names a factor elsewhere is derived from it. */
export interface FactorDescription {
  /** Its word in paths, in `schemas/stage_<kind>.json` and in the audit: lower-case letters, digits and `_`. */
  readonly kind: string;
  readonly stage: SecondFactorStage;
  /** 2FA is on for a user who has a primary authenticator of any kind. A backup is good only beside one. */
  readonly role: 'primary' | 'backup';
  /** What the stage is, for the title and text of its schema. */
  readonly about: string;
  /** The JSON Schema of each field that `auth` has besides `type` and `session`. */
  readonly authSchema: Readonly<Record<string, JsonObject>>;
  /** The field that holds the proof. Without it there is no attempt, and nothing is judged or counted. */
  readonly proofField: string;
  readonly typed?: TypedProof;
  /**
   * Where its failures count: each name has lanes of its own beside those of one-time codes, which are `codes`. None
   * where a proof is too long to be guessed.
   */
  readonly counter?: string;
  readonly events: EventTexts;
  /** What a client is told of a proof that was not accepted, also the first one, where it is not a code. */
  readonly refused?: string;
  /** The operator has it off: no flow, path or page names it. What users have of it stays in their state. */
  readonly isOff?: boolean;
  /** Without it pages have no way to this factor, unless its codes are typed. */
  readonly page?: FactorPage;
  /** For primary factors: without it users cannot turn them on. */
  readonly setUp?: FactorSetUp;
}
