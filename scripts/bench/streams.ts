import { join } from 'node:path'
import { start, succeeded } from './process.ts'
import type { Heard, Streams } from './programs/open-streams.ts'
import { type Setting, WrongResult } from './types.ts'

/** Holds event streams open in a process of its own while `work` goes on; tells what came through them. */
export async function besideStreams<T>(setting: Setting, input: Streams, work: () => Promise<T>): Promise<[T, Heard]> {
  const words = [join(setting.bundle, 'programs/open-streams.mjs'), JSON.stringify(input)]
  const { child, ended } = start(process.execPath, words, { cwd: setting.bundle })
  const opened = new Promise<void>((resolve, reject) => {
    child.stderr!.once('data', (text: Buffer) =>
      String(text).startsWith('open') ? resolve() : reject(new WrongResult(`Cannot open the streams: ${text}`)),
    )
    void ended.then(() => reject(new WrongResult('The streams ended before they were open')))
  })
  try {
    await opened
    const result = await work()
    child.kill('SIGTERM')
    const { stdout } = succeeded('open-streams', await ended)
    return [result, JSON.parse(stdout) as Heard]
  } finally {
    child.kill('SIGTERM')
    await ended
  }
}
