import { spawn } from 'node:child_process'
import { StartError } from '../start-error.ts'
import type { LauncherOptions } from './options.ts'

const PORT_LINE = /^TORC_SERVER_PORT=\d+$/m

/**
 * Starts the same command line again as a process that outlives this one, and returns when it listens, its line with the port passed
 * on. Throws StartError with its words when it ends instead.
 */
export function startInBackground(words: readonly string[], { pidFile }: LauncherOptions): Promise<void> {
  const foreground = words.filter(word => word !== '--daemon' && word !== '--shutdown-on-stdin-eof')
  const named = words.some(word => /^--pid-file(=|$)/.test(word)) ? [] : ['--pid-file', pidFile!]
  const child = spawn(process.execPath, [process.argv[1]!, 'run', ...foreground, ...named], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stderr.on('data', chunk => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', () => reject(new StartError(stderr.trim() || 'Cannot start in the background')))
    child.stdout.on('data', chunk => {
      stdout += chunk
      const line = PORT_LINE.exec(stdout)?.[0]
      if (line === undefined) return
      process.stdout.write(`${line}\n`)
      child.unref()
      for (const stream of [child.stdout, child.stderr]) stream.destroy()
      resolve()
    })
  })
}
