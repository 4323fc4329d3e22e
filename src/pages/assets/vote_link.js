/** Where the link of a voter waits in this tab until they are signed in. It is worth nothing without their account. */
const KEPT = 'm2fa_vote';

/** @param {string} link */
export function keepVoteLink(link) {
  sessionStorage.setItem(KEPT, link);
}

export function keptVoteLink() {
  return sessionStorage.getItem(KEPT) ?? undefined;
}

export function dropVoteLink() {
  sessionStorage.removeItem(KEPT);
}
