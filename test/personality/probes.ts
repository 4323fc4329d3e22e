import { LOGIN_PROBES } from './login_probes.ts';
import type { Probe } from './probe.ts';
import { REGISTER_PROBES } from './register_probes.ts';
import { TOKEN_PROBES } from './token_probes.ts';
import { TRANSPORT_PROBES } from './transport_probes.ts';
import { UIA_PROBES } from './uia_probes.ts';

/** Every experiment that can be made on any homeserver, and what was measured on each. */
export const PROBES: readonly Probe[] = [
  ...LOGIN_PROBES,
  ...TOKEN_PROBES,
  ...UIA_PROBES,
  ...REGISTER_PROBES,
  ...TRANSPORT_PROBES,
];
