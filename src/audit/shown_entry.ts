import type { ShownRow } from '../storage/tables/audit_entries.ts';

/** An entry of the audit as programs get it, by `audit export` and over the admin API. */
export function shownEntry(row: ShownRow) {
  const { chain, n, at, event, userId, actor, address, deviceId, requestId, detail, mac } = row;
  return {
    ...{ chain, n, at, event },
    user_id: userId === '' ? null : userId,
    ...{ actor, address, device_id: deviceId, request_id: requestId },
    detail: JSON.parse(detail),
    mac,
  };
}
