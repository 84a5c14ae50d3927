import { connect } from 'node:net'

export type RawReply = {
  /** All that came until the other side closed, or the time was up. */
  text: string
  /** The status lines in it. */
  statuses: number[]
  closed: boolean
}

type Part = string | Uint8Array | { pauseMs: number }

/** Sends bytes as they are, with pauses between them, and collects what comes back. No client of ours would send such things. */
export function sendRaw(port: number, parts: readonly Part[], forMs = 5_000): Promise<RawReply> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1')
    let text = ''
    let closed = false
    const end = () => {
      clearTimeout(timer)
      socket.destroy()
      const statuses = [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status))
      resolve({ text, statuses, closed })
    }
    const timer = setTimeout(end, forMs)
    socket.on('data', chunk => {
      text += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.on('close', () => {
      closed = true
      end()
    })
    void (async () => {
      for (const part of parts) {
        if (socket.destroyed) return
        if (typeof part === 'object' && 'pauseMs' in part) await new Promise(go => setTimeout(go, part.pauseMs))
        else socket.write(part)
      }
    })()
  })
}
