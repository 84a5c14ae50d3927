import { type ChildProcess, spawn } from 'node:child_process'
import { pipeline, type Readable } from 'node:stream'
import type { Worker } from './worker.ts'

/** How a script on a worker ended; `unreachable` in ssh's words, or because it took too long. */
export type Ran =
  | { kind: 'ran'; code: number; stdout: string; stderr: string }
  | { kind: 'unreachable'; message: string }

export type SshOptions = {
  /** `Key=value`, as after ssh's -o. */
  settings: readonly string[]
  env: NodeJS.ProcessEnv
}

/** ssh's own exit code, for a connection that could not be made or broke off. */
const OWN_CODE = 255
const CONNECT_SECONDS = 15

/** Nobody is there to type a password; what asks for one fails at once. */
function argvFor({ destination, port }: Worker, settings: readonly string[], command: readonly string[]): string[] {
  return [
    ...settings.flatMap(setting => ['-o', setting]),
    ...['-o', 'BatchMode=yes', '-o', `ConnectTimeout=${CONNECT_SECONDS}`, '-o', 'ServerAliveInterval=15'],
    // A connection left open for others would keep our pipes open, too.
    ...['-o', 'ControlMaster=no'],
    '-T',
    ...(port === undefined ? [] : ['-p', String(port)]),
    '--',
    destination,
    ...command,
  ]
}

/** Runs a script of `sh` on a worker. It goes over standard input, so that nothing of it can be seen in lists of processes. */
export async function runOver(
  worker: Worker,
  script: string,
  { settings, env }: SshOptions,
  timeoutMs: number,
): Promise<Ran> {
  const child = spawn('ssh', argvFor(worker, settings, ['sh', '-s']), { env, stdio: ['pipe', 'pipe', 'pipe'] })
  const over = overAfter(child, timeoutMs)
  child.stdin.on('error', () => {
    // It has ended before it read everything; how, its code says.
  })
  child.stdin.end(script)
  const [stdout, stderr, ended] = await Promise.all([saidBy(child.stdout), saidBy(child.stderr), over])
  return ended.kind === 'ran' && ended.code === OWN_CODE
    ? { kind: 'unreachable', message: lastLine(stderr) || 'ssh ended with 255' }
    : ended.kind === 'ran'
      ? { ...ended, stdout, stderr }
      : ended
}

/** Fetches a folder of a worker into one here, both ends by tar: what changes meanwhile is taken as it is. */
export async function fetchFolder(
  worker: Worker,
  from: string,
  into: string,
  { settings, env }: SshOptions,
  timeoutMs: number,
): Promise<Ran> {
  const command = `cd ${from} && tar -cf - --exclude=*.sock .`
  const far = spawn('ssh', argvFor(worker, settings, [command]), { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const near = spawn('tar', ['-xf', '-', '-C', into, '--no-same-owner'], { stdio: ['pipe', 'ignore', 'pipe'] })
  pipeline(far.stdout, near.stdin, () => {
    // One has ended before the other; how, its code says.
  })
  const farOver = overAfter(far, timeoutMs)
  const nearOver = overAfter(near, timeoutMs)
  const [farWords, nearWords, farEnd, nearEnd] = await Promise.all([
    saidBy(far.stderr),
    saidBy(near.stderr),
    farOver,
    nearOver,
  ])
  if (farEnd.kind === 'unreachable') return farEnd
  if (farEnd.code === OWN_CODE) return { kind: 'unreachable', message: lastLine(farWords) || 'ssh ended with 255' }
  if (nearEnd.kind === 'unreachable') return nearEnd
  // 1 of tar: a file changed while it was read, as logs do.
  const code = farEnd.code > 1 ? farEnd.code : nearEnd.code
  return { kind: 'ran', code, stdout: '', stderr: `${farWords}${nearWords}` }
}

type Ended = { kind: 'ran'; code: number } | { kind: 'unreachable'; message: string }

/** What a stream has said by its end, or until it was cut off. */
async function saidBy(stream: Readable): Promise<string> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of stream) chunks.push(chunk)
  } catch {
    // Cut off: there is no more.
  }
  return Buffer.concat(chunks).toString('utf8')
}

function overAfter(child: ChildProcess, timeoutMs: number): Promise<Ended> {
  // A program that it has started, such as one that leads through a gateway, may hold them open.
  const cutOff = (): void => {
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream?.destroy()
  }
  return new Promise(resolve => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      cutOff()
      resolve({ kind: 'unreachable', message: `no answer within ${timeoutMs / 1000} s` })
    }, timeoutMs)
    const end = (ended: Ended): void => {
      clearTimeout(timer)
      resolve(ended)
    }
    child.on('error', error => {
      cutOff()
      const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT'
      end({ kind: 'unreachable', message: isMissing ? `${child.spawnfile} is not on PATH` : error.message })
    })
    child.on('close', code => end({ kind: 'ran', code: code ?? OWN_CODE }))
  })
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? ''
