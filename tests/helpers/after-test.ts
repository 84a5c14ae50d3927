import { onTestFinished } from 'vitest'

/** Does something after the test that is running, the latest first. Files share their modules (vitest.config.ts), so that a helper has no hooks of its own. */
export const afterTest = (cleanUp: () => unknown): void =>
  onTestFinished(async () => {
    await cleanUp()
  })
