/**
 * The library face: the whole proxy, and the UIA session engine by itself. A new kind of second factor implements
 * `Factor`, and is given to `createProxy`; what it may be made of and what it needs to keep is exported too
 * (docs/architecture.md, "A factor").
 */
export type { Config } from './config/config.ts';
export { loadConfig } from './config/load.ts';
export type {
  ConfirmedAuthenticator,
  EventTexts,
  FactorDescription,
  FactorPage,
  FactorSetUp,
  PasskeyPage,
  SetUpPage,
  TypedAnswerPage,
  TypedProof,
} from './factors/description.ts';
export type { Attempt, Challenge, Detail, Factor, FactorVerdict } from './factors/factor.ts';
export type { CreateFactor, FactorDeps } from './factors/list.ts';
export { Refusal } from './matrix/refusals.ts';
export type { Json, JsonObject, SecondFactorStage } from './matrix/wire.ts';
export { createProxy, type MatrixProxy, type ProxyParts } from './server/proxy.ts';
export {
  ask,
  type Decision,
  decide,
  type Effect,
  effect,
  type Query,
  type Sql,
} from './storage/statement.ts';
export type { Storage } from './storage/storage.ts';
export { type Authenticator, spendStep } from './storage/tables/authenticators.ts';
export {
  burnChallenge,
  findChallenge,
  type KeptChallenge,
  keepChallenge,
} from './storage/tables/challenges.ts';
export type { FactorStore } from './storage/tables/factors.ts';
export type { SessionStore } from './storage/tables/session_store.ts';
export type { StoredSession } from './storage/tables/sessions.ts';
export type { Clock } from './system/clock.ts';
export type { Language, Wording } from './system/languages.ts';
export type { RandomSource } from './system/random.ts';
export { challengeOf } from './uia/challenge.ts';
export { type Completion, UiaEngine, type UiaSettings } from './uia/engine.ts';
export type { Opening } from './uia/opening.ts';
export type { Session, SessionBinding } from './uia/session.ts';
export type { Vault } from './vault/vault.ts';
