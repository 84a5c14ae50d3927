import { VirtualNode, type World } from './node.ts'
import { type Chance, MINUTE_MS } from './plan.ts'

/** How often what happens, in the mean, to all nodes together and to the server. */
const PER_NODE_MS = { cut: 60 * MINUTE_MS, kill: 90 * MINUTE_MS, vanish: 240 * MINUTE_MS }
const SERVER_RESTART_MS = 30 * MINUTE_MS
/** Cuts last from moments to several leases. */
const CUT_MS = 3 * MINUTE_MS
const SERVER_AWAY_MS = MINUTE_MS
/** The server dies in the middle of a request now and then: after so many transactions at most. */
const MOST_TRANSACTIONS = 4

/** Lets nodes live and things go wrong, until faults are over. */
export function createTroubles(world: World, nodes: VirtualNode[], chance: Chance) {
  const { time, server, areFaultsOver, plan } = world
  let names = nodes.length

  async function again(meanMs: number, act: () => void | Promise<void>): Promise<void> {
    for (;;) {
      await time.pause(chance.span(meanMs))
      if (areFaultsOver()) return
      await act()
    }
  }

  const anyNode = (): number => chance.whole(0, nodes.length - 1)

  function replace(at: number): void {
    nodes[at]!.vanish()
    const node = new VirtualNode(world, `node_${names++}`, chance)
    nodes[at] = node
    void node.live()
  }

  async function restartServer(): Promise<void> {
    await server.kill(chance.whole(0, MOST_TRANSACTIONS))
    await time.pause(chance.span(SERVER_AWAY_MS))
    await server.start()
  }

  return {
    begin(): void {
      void again(PER_NODE_MS.cut / plan.runners, () => nodes[anyNode()]!.cut(chance.span(CUT_MS)))
      void again(PER_NODE_MS.kill / plan.runners, () => nodes[anyNode()]!.killRunner())
      void again(PER_NODE_MS.vanish / plan.runners, () => replace(anyNode()))
      void again(SERVER_RESTART_MS, restartServer)
    },
  }
}
