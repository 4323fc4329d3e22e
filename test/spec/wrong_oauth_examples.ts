import { specExamples } from '../support/spec_examples.ts';

/** The example that the specification has of a shape. */
function right(shape: string): object {
  const example = specExamples().find(({ schema }) => schema === shape);
  return JSON.parse(example?.text ?? '{}');
}

const TOKENS = right('oauth_token_answer');
const DEVICE = right('oauth_device_answer');
const LINK = 'https://matrix.example.org/_2fa/link?user_code=WDJB-MJHT';
const ERROR = right('oauth_error');
const KEY = { kty: 'RSA', use: 'sig', alg: 'RS256', kid: 'k', n: 'n', e: 'AQAB' };

export const WRONG_OAUTH_EXAMPLES = {
  oauth_metadata_answer: {
    nothing: {},
    'an issuer without its slash': {
      ...right('oauth_metadata_answer'),
      issuer: 'https://matrix.example.org',
    },
  },
  oauth_register_answer: { 'a secret': { ...right('oauth_register_answer'), client_secret: 'x' } },
  oauth_token_answer: {
    'a type in lower case': { ...TOKENS, token_type: 'bearer' },
    'no time': { ...TOKENS, expires_in: undefined },
  },
  oauth_device_answer: {
    'a code with vowels': { ...DEVICE, user_code: 'AEIO-UAEI' },
    'a link that brings the code along': { ...DEVICE, verification_uri_complete: LINK },
  },
  oauth_keys_answer: { 'a private key': { keys: [{ ...KEY, d: 'x' }] } },
  oauth_error: {
    'a Matrix error': { errcode: 'M_UNKNOWN', error: 'invalid_grant' },
    'both kinds in one': { ...ERROR, errcode: 'M_UNKNOWN' },
  },
};
