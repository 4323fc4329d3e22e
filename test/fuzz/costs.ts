import type { IncomingMessage } from 'node:http';
import fc from 'fast-check';
import { readRecoveryCode } from '../../src/factors/recovery/recovery_code.ts';
import { typedRecovery } from '../../src/factors/recovery/recovery_factor.ts';
import { typedTotp } from '../../src/factors/totp/totp_factor.ts';
import { classify } from '../../src/gateway/classify.ts';
import { repeatsSent } from '../../src/homeserver/sent_values.ts';
import { presentedToken } from '../../src/http/access_token.ts';
import { clientAddressReader } from '../../src/http/client_address.ts';
import { readFields } from '../../src/http/form.ts';
import { readQuery } from '../../src/http/query.ts';
import { readLoginBody } from '../../src/login/readings.ts';
import { Refusal } from '../../src/matrix/refusals.ts';
import { requireShape } from '../../src/matrix/registry.ts';
import { parseStrictJson } from '../../src/matrix/strict_json.ts';
import { RedirectTargets } from '../../src/pages/sign_in/redirect_targets.ts';
import { pickLanguage } from '../../src/pages/texts/language.ts';
import { redactText } from '../../src/system/redaction.ts';
import { canonicalJson } from '../../src/uia/canonical_body.ts';
import { cpuCostMs } from '../support/cpu_cost.ts';
import type { Campaign } from './campaign.ts';

const KIB = 1024;
/** Headers and targets end there (Node's limit), forms and most bodies here. */
const HEADER = 16 * KIB;
const BODY = 64 * KIB;

/** What 16 KiB may cost, and for longer inputs the same for each further 16 KiB. */
const BUDGET_MS = 5;
/** So often an input over its budget is read again before it is believed: neither a busy machine nor a first run counts. */
const TRIES = 30;

/** Everything that reads what a client may write, with the most that gets there. */
const READERS: Readonly<Record<string, readonly [most: number, read: (text: string) => unknown]>> = {
  'Accept-Language': [HEADER, (text) => pickLanguage(text, { languages: ['en', 'de'], otherwise: 'en' })],
  Authorization: [HEADER, (text) => presentedToken(['Authorization', `Bearer ${text}`], [])],
  'X-Forwarded-For': [HEADER, addressOf],
  target: [HEADER, (text) => classify('POST', `/_matrix/client/${text.replaceAll(/[^!-~]/g, '%20')}`)],
  query: [HEADER, readQuery],
  'redirect target': [
    HEADER,
    (text) =>
      new RedirectTargets({ clients: [] }, 'https://matrix.example.org').read(`https://x.example/${text}`),
  ],
  'user name': [BODY, (user) => readLoginBody({ type: 'm.login.password', user, password: 'x' })],
  address: [
    BODY,
    (address) =>
      readLoginBody({
        type: 'm.login.password',
        identifier: { type: 'm.id.thirdparty', address },
        password: 'x',
      }),
  ],
  'password with a one-time code': [BODY, typedTotp(6).tail],
  'password with a recovery code': [BODY, typedRecovery(6).tail],
  'typed one-time code': [BODY, typedTotp(6).read],
  'typed recovery code': [BODY, typedRecovery(6).read],
  'recovery code': [BODY, readRecoveryCode],
  'body as bytes': [BODY, (text) => parseStrictJson(Buffer.from(text))],
  'body with a string': [BODY, (text) => readBody({ type: text, password: text.slice(0, 8) })],
  'body with a key': [BODY, (text) => readBody({ [text]: 1, auth: { session: text.slice(0, 8) } })],
  form: [BODY, (text) => readFields(Buffer.from(text))],
  'form as browsers write it': [BODY / 6, (text) => readFields(Buffer.from(encodeURIComponent(text)))],
  'error text of the homeserver': [BODY, (text) => repeatsSent(text.slice(0, 500), { password: text })],
  'text in the log': [HEADER, redactText],
};

function addressOf(text: string): unknown {
  const request = {
    socket: { remoteAddress: '127.0.0.1' },
    rawHeaders: ['X-Forwarded-For', text, 'X-Forwarded-Proto', text],
  } as unknown as IncomingMessage;
  return clientAddressReader(['127.0.0.1'])(request);
}

function readBody(body: Record<string, unknown>): unknown {
  const read = parseStrictJson(Buffer.from(JSON.stringify(body)));
  return canonicalJson(requireShape('login_request', read));
}

/** What separates, quotes, escapes, repeats, folds or normalises to something else. */
const PARTS = [
  ...[
    ' ',
    '\t',
    ';',
    ',',
    '=',
    '-',
    '.',
    ':',
    '/',
    '@',
    '"',
    '\\',
    '&',
    '[',
    '{',
    '}',
    'a',
    '1',
    'A',
    '%',
    '%25',
  ],
  ...[
    'q=',
    '; ',
    ', ',
    '::',
    '1.2.3.4',
    'm2fa_',
    'token=',
    'Bearer ',
    '"token":"',
    '\\u0041',
    '/../',
    '%2e%2e',
  ],
  ...['\ufdfa', 'é', 'e\u0301', '\u2012', '\u017f', '\u3000', '\u0000', '😀', '\uff0f'],
];

const text = fc
  .tuple(
    fc.array(fc.constantFrom(...PARTS), { maxLength: 4 }),
    fc.array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 6 }),
    fc.array(fc.constantFrom(...PARTS), { maxLength: 4 }),
  )
  .map(([head, unit, tail]) => ({ head: head.join(''), unit: unit.join(''), tail: tail.join('') }));

/** Attack 119 and its class: what is read of a request takes linear time, and little. */
export const costs = (budgetMs = BUDGET_MS): Campaign => ({
  name: 'costs',
  runsPerWorld: 400,
  begin: async () => {
    const counts: Record<string, number> = { read: 0, 'measured again': 0 };
    const property = fc.asyncProperty(
      fc.constantFrom(...Object.keys(READERS)),
      text,
      async (name, { head, unit, tail }) => {
        const [most, read] = READERS[name] ?? [0, () => undefined];
        const bytes = Buffer.byteLength(unit);
        const input = head + unit.repeat(Math.max(1, Math.floor(most / bytes) - 16)) + tail;
        const budget = budgetMs * Math.max(1, most / HEADER);
        const once = () => attempt(() => read(input));
        counts.read = (counts.read ?? 0) + 1;
        if ((await cpuCostMs(once, 2)) < budget) return;
        counts['measured again'] = (counts['measured again'] ?? 0) + 1;
        const cost = await cpuCostMs(once, TRIES);
        if (cost >= budget) {
          throw new Error(`${name}: ${Buffer.byteLength(input)} bytes of it take ${cost} ms, not ${budget}`);
        }
      },
    );
    return { property, counts, end: async () => undefined };
  },
});

/** Inputs may be refused. */
function attempt(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
  }
}
