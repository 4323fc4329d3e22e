/**
 * Whatever requests and housekeeping look for is found by an index where a table grows with the number of users
 * (a test asks both databases for the plan of each statement).
 */
export const sweepIndexes = `
  CREATE INDEX lanes_by_wait ON lanes (wait_until);
  CREATE INDEX allowances_by_time ON allowances (at);
  CREATE INDEX setups_by_end ON setups (expires_at);
  CREATE INDEX challenges_by_user ON challenges (user_id);
  CREATE INDEX sign_in_tokens_by_user ON sign_in_tokens (user_id);
  CREATE INDEX sign_in_tokens_by_hold ON sign_in_tokens (hold_id);
  CREATE INDEX factor_tokens_by_user ON factor_tokens (user_id);
  CREATE INDEX recovery_requests_by_end ON recovery_requests (ended_at);
  CREATE INDEX recovery_requests_by_state ON recovery_requests (state, id);
  CREATE INDEX page_sessions_by_begin ON page_sessions (created_at);
  CREATE INDEX page_sessions_by_lease ON page_sessions (leased_until);
  CREATE INDEX device_passwords_by_end ON device_passwords (ended_at);
  CREATE INDEX device_passwords_by_lease ON device_passwords (leased_until);
  CREATE INDEX notice_addresses_by_end ON notice_addresses (gone_at);
`;
