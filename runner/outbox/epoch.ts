import type { Transport } from '../client/transport.ts'

/** The database that answers: every reply names it. */
export type Epochs = {
  /** The one that answered last; undefined before the first reply, and with servers that name none. */
  readonly current: string | undefined
  /** The same transport, watched. */
  watch(transport: Transport): Transport
}

export function createEpochs(): Epochs {
  let current: string | undefined
  return {
    get current() {
      return current
    },
    watch: transport => ({
      async send(request) {
        const incoming = await transport.send(request)
        current = incoming.epoch ?? current
        return incoming
      },
      close: () => transport.close(),
    }),
  }
}
