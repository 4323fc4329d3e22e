import { parseUserId } from '../matrix/user_id.ts';

const LEFT_OUT = '•••';

/**
 * An address as it is shown to someone who has proven no more than a password: enough to know it again, too little to
 * learn it (`a•••@e•••.org`).
 */
export function shownAddress(address: string): string {
  const user = parseUserId(address);
  if (user !== undefined) return `@${cut(address.slice(1, address.indexOf(':')))}:${cutHost(user.server)}`;
  const at = address.lastIndexOf('@');
  if (at > 0) return `${cut(address.slice(0, at))}@${cutHost(address.slice(at + 1))}`;
  return `${address.slice(0, 3)}${LEFT_OUT}${address.slice(-2)}`;
}

function cut(text: string): string {
  return `${[...text][0] ?? ''}${LEFT_OUT}`;
}

/** The last label of a host stays: it tells a country or a kind of site, and no person. */
function cutHost(host: string): string {
  const dot = host.lastIndexOf('.');
  return dot > 0 ? `${cut(host)}${host.slice(dot)}` : cut(host);
}
