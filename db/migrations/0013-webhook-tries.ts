import type { Migration } from '../migrate.ts'

/** What a hook could not deliver, to be sent again as it was: a receiver knows a delivery by its id, and must find the same in it. */
export const webhookTries: Migration = {
  version: 13,
  name: 'webhook-tries',
  statements: ['ALTER TABLE webhook ADD COLUMN pending TEXT'],
}
