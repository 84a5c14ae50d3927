import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach } from 'vitest'
import { type ControlPlane, type ControlPlaneOptions, startControlPlane } from './soak-control-planes.ts'
import { createNetwork, type Network } from './soak-network.ts'
import { openPlace, type Place } from './soak-place.ts'

const cleanUps: (() => Promise<void> | void)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp()
})

/** Does something after the test, the latest first. */
export const afterTest = (cleanUp: () => Promise<void> | void): void => void cleanUps.push(cleanUp)

/** What programs of a test stand on. All of it is gone after the test. */
export type Ground = {
  directory: string
  network: Network
  openPlace(): Promise<Place>
  startPlane(options: ControlPlaneOptions): Promise<ControlPlane>
}

export async function prepareGround(): Promise<Ground> {
  const directory = mkdtempSync(join(tmpdir(), 'headrace-soak-'))
  afterTest(() => rmSync(directory, { recursive: true, force: true }))
  const network = await createNetwork()
  afterTest(() => network.close())
  return {
    directory,
    network,
    async openPlace() {
      const place = await openPlace()
      afterTest(() => place.close())
      return place
    },
    async startPlane(options) {
      const plane = await startControlPlane(options)
      afterTest(() => plane.stop())
      return plane
    },
  }
}
