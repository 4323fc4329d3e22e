/**
 * The scope of a request (client-server API v1.19, "OAuth 2.0 API", "Scope"). Apps use the unstable spelling of
 * MSC2967 too: matrix-sdk 0.18 and matrix-js-sdk up to 41.
 */

const STABLE = 'urn:matrix:client:';
const UNSTABLE = 'urn:matrix:org.matrix.msc2967.client:';

/** What RFC 6749 takes for a scope token, section 3.3: all that is visible but `"` and `\`. */
const DEVICE_ID = /^[\x21\x23-\x5b\x5d-\x7e]{1,255}$/;

export interface ReadScope {
  readonly deviceId: string;
  /** Whether an ID token is asked for. */
  readonly openid: boolean;
  /** The tokens that are granted, as they were spelt. */
  readonly granted: string;
}

/**
 * Reads a scope: one token for the whole client-server API, one for the device, perhaps `openid`. Other tokens are not
 * granted. Undefined if one of the two is missing or comes twice, or the id of the device is not one.
 */
export function readScope(scope: string): ReadScope | undefined {
  const tokens = scope.split(' ').filter((token) => token !== '');
  const [api, ...moreApis] = tokens.filter((token) => matrixPart(token) === 'api:*');
  const [device, ...moreDevices] = tokens.filter((token) => matrixPart(token)?.startsWith('device:'));
  if (api === undefined || device === undefined) return undefined;
  if (moreApis.length > 0 || moreDevices.length > 0) return undefined;
  const deviceId = matrixPart(device)?.slice('device:'.length) ?? '';
  if (!DEVICE_ID.test(deviceId)) return undefined;
  const openid = tokens.includes('openid');
  const granted = tokens.filter((token, at) => isGranted(token) && tokens.indexOf(token) === at).join(' ');
  return { deviceId, openid, granted };

  function isGranted(token: string): boolean {
    return token === api || token === device || token === 'openid';
  }
}

/** What a token of Matrix has behind the name of its space; undefined for any other one. */
function matrixPart(token: string): string | undefined {
  if (token.startsWith(STABLE)) return token.slice(STABLE.length);
  return token.startsWith(UNSTABLE) ? token.slice(UNSTABLE.length) : undefined;
}
