import { HoldSweeper } from '../login/hold_sweeper.ts';
import { LoginConversation } from '../login/login_conversation.ts';
import { LoginGate } from '../login/login_gate.ts';
import { PageSignIn } from '../login/page_sign_in.ts';
import { PresentedPass } from '../login/presented_pass.ts';
import { Readings } from '../login/readings.ts';
import { RegisterGate } from '../login/register_gate.ts';
import { SecondLogin } from '../login/second_login.ts';
import { SessionEndings } from '../login/session_endings.ts';
import { SignInLine } from '../login/sign_in_line.ts';
import { StoredLineLeases } from '../login/stored_line_leases.ts';
import { UpstreamLogin } from '../login/upstream_login.ts';
import { LoginsWithoutFactor } from '../login/without_factor.ts';
import { Exit } from '../second_factor/exit.ts';
import { HeldLogins } from '../second_factor/held_logins.ts';
import { systemPause } from '../system/pause.ts';
import type { Groundwork } from './groundwork.ts';

/** Where people sign in and out. */
export interface LoginRooms {
  readonly login: LoginGate;
  readonly register: RegisterGate;
  readonly sessionEndings: SessionEndings;
  readonly pageSignIn: PageSignIn;
  readonly sweeper: HoldSweeper;
}

/** Puts the rooms together in which people sign in and out. All doors share the held logins and their limits. */
export function composeLoginRooms(ground: Groundwork): LoginRooms {
  const { config, storage, vault, homeserver, clock, random, log } = ground;
  const holds = new HeldLogins(storage, vault, clock, random, {
    holdTtlMs: config.login.holdTtlMs,
    maximum: config.uia.maxSessions,
    allowance: config.limits.signInPerUser,
  });
  const readings = new Readings({ factors: storage.factors, codes: ground.factors, vault }, ground.ways);
  const upstream = new UpstreamLogin(homeserver, holds, ground.addressLimit, log);
  const exit = new Exit({ ...ground, holds, publicBaseUrl: config.publicBaseUrl });
  const secondLogin = new SecondLogin({ ...ground, holds, upstream, exit });
  const shared = {
    ...ground,
    factors: storage.factors,
    holds,
    upstream,
    exit,
    line: new SignInLine({ ...ground, leases: new StoredLineLeases(ground), pause: systemPause }),
    readings,
  };
  const withoutFactor = new LoginsWithoutFactor(shared);
  const presentedPass = new PresentedPass({ ...shared, secondLogin });
  const { engine, secondFactors, ways } = ground;
  const codes = { presented: ground.presented, step: ground.codeStep };
  const conversation = new LoginConversation(engine, secondFactors, codes, holds, secondLogin, random, ways);
  return {
    login: new LoginGate({ ...shared, conversation, presentedPass, withoutFactor }),
    register: new RegisterGate({ ...shared, conversation, publicBaseUrl: config.publicBaseUrl }),
    sessionEndings: new SessionEndings({ ...shared, sessions: storage.sessions }),
    pageSignIn: new PageSignIn(shared),
    sweeper: new HoldSweeper(storage.holds, holds, homeserver, ground.audit, clock, log),
  };
}
