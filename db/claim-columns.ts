/** For SET: what a job loses when nobody holds it any more. The database refuses a row that keeps a part of it. */
export const CLEAR_CLAIM =
  'claim_token = NULL, compute_node_id = NULL, claimed_at = NULL, lease_seconds = NULL, lease_expires_at = NULL, started_at = NULL, is_held = 0, waits_until = NULL'
