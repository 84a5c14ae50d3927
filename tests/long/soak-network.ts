import { randomBytes, randomInt } from 'node:crypto'
import { networkInterfaces } from 'node:os'
import { openPlace, type Place } from './soak-place.ts'

/** A line between two places. */
export type Link = {
  /** Addresses of its two ends. */
  readonly a: string
  readonly b: string
  /** Lets nothing through any more, and tells neither end: both believe to be connected. */
  cut(): void
  mend(): void
}

export type Network = {
  link(a: Place, b: Place): Link
  close(): Promise<void>
}

/**
 * Lines that can be cut. Each is a bridge in a place between its ends: taken down it drops what comes, while the interfaces of both ends
 * stay up, so that no program gets an error for what it sends.
 */
export async function createNetwork(): Promise<Network> {
  const middle = await openPlace()
  const taken = new Set<string>()
  return {
    link(a, b) {
      const bridge = newName()
      const [addressA, addressB] = newAddresses(taken)
      middle.run('ip', 'link', 'add', bridge, 'type', 'bridge', 'forward_delay', '0')
      middle.run('ip', 'link', 'set', bridge, 'up')
      plug(middle, bridge, a, addressA)
      plug(middle, bridge, b, addressB)
      return {
        a: addressA,
        b: addressB,
        cut: () => middle.run('ip', 'link', 'set', bridge, 'down'),
        mend: () => middle.run('ip', 'link', 'set', bridge, 'up'),
      }
    },
    close: () => middle.close(),
  }
}

/** Joins a place to a bridge in the middle. The interface goes with the middle: none is left in the test's own network. */
function plug(middle: Place, bridge: string, place: Place, address: string): void {
  const [outer, inner] = [newName(), newName()]
  middle.run('ip', 'link', 'add', outer, 'type', 'veth', 'peer', 'name', inner)
  middle.run('ip', 'link', 'set', inner, 'master', bridge, 'up')
  middle.run('ip', 'link', 'set', outer, 'netns', String(place.pid))
  place.run('ip', 'address', 'add', `${address}/30`, 'dev', outer)
  place.run('ip', 'link', 'set', outer, 'up')
}

/** No other run has it; 15 characters are the most. */
const newName = (): string => `hr${randomBytes(5).toString('hex')}`

/** Two neighbours of the range that is kept for such tests (RFC 2544), which nobody here has. */
function newAddresses(taken: Set<string>): [string, string] {
  const all = Object.values(networkInterfaces()).flatMap(list => list ?? [])
  for (const { address } of all) taken.add(address)
  while (true) {
    const [second, third, fourth] = [18 + randomInt(2), randomInt(256), 4 * randomInt(64)]
    const pair: [string, string] = [`198.${second}.${third}.${fourth + 1}`, `198.${second}.${third}.${fourth + 2}`]
    if (pair.some(address => taken.has(address))) continue
    for (const address of pair) taken.add(address)
    return pair
  }
}
