/**
 * The library face: the whole proxy, and the UIA session engine by itself. A new kind of second factor
 * implements `Factor`.
 */
export type { Config } from './config/config.ts';
export { loadConfig } from './config/load.ts';
export type { Factor, FactorVerdict } from './factors/factor.ts';
export { createProxy, type MatrixProxy, type ProxyParts } from './server/proxy.ts';
export type { SessionStore, StoredSession } from './storage/stores.ts';
export { challengeOf } from './uia/challenge.ts';
export { type Completion, type Opening, UiaEngine, type UiaSettings } from './uia/engine.ts';
export type { Session, SessionBinding } from './uia/session.ts';
