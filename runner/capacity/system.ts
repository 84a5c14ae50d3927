import { execFileSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { join } from 'node:path'

/** What detection looks at. Tests give recorded trees instead of the machine's own. */
export type System = {
  /** Text of a file such as `/proc/meminfo`; undefined when it cannot be read. */
  read(path: string): string | undefined
  /** Names in a directory; empty when it cannot be read. */
  list(path: string): string[]
  env: NodeJS.ProcessEnv
  /** What `nvidia-smi -L` prints; undefined when there is no such program or it fails. */
  listNvidiaGpus(): string | undefined
  /** What the runtime knows where there is no /proc. */
  fallback: { cpus: number; memoryBytes: number }
}

/** A driver that hangs must not keep a run from starting. */
const NVIDIA_TIMEOUT_MS = 10_000

/** The machine this process runs on. `root` is put before every path. */
export function hostSystem(root = '/', env: NodeJS.ProcessEnv = process.env): System {
  return {
    read(path) {
      try {
        return readFileSync(join(root, path), 'utf8')
      } catch {
        return undefined
      }
    },
    list(path) {
      try {
        return readdirSync(join(root, path))
      } catch {
        return []
      }
    },
    env,
    listNvidiaGpus() {
      try {
        const stdio: ['ignore', 'pipe', 'ignore'] = ['ignore', 'pipe', 'ignore']
        return execFileSync('nvidia-smi', ['-L'], { encoding: 'utf8', timeout: NVIDIA_TIMEOUT_MS, stdio })
      } catch {
        return undefined
      }
    },
    fallback: { cpus: availableParallelism(), memoryBytes: totalmem() },
  }
}
