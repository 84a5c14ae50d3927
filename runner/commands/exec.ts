import { spawn } from 'node:child_process'
import { constants } from 'node:os'
import { cannotRun } from '../command-line/error.ts'
import type { ExitCode, Verb } from '../command-line/verb.ts'
import { findClient } from '../exec/binaries.ts'

const HANDED_ON = ['SIGHUP', 'SIGINT', 'SIGQUIT', 'SIGTERM', 'SIGUSR2'] as const
const SIGNAL_BASE = 128

const verb: Verb = {
  about:
    'Run a command on this node as soon as cores are free, as mpiexec does. The same as hr-exec, which needs no Node to start; runner exec --help shows its options.',
  args: {},
  examples: ['exec -n 1 ./test', 'exec -np 4 -c 2 -l ./solve input.txt'],
  exitCodes: { 124: 'time over', 125: 'no runner, or it refuses', 126: 'not executable', 127: 'not found' },
  passesWordsOn: true,
  run: async words => runClient(await findClient(process.env), words),
}

export default verb

/** Runs the client with our own streams; resolves to its exit code. */
function runClient(client: string, words: readonly string[]): Promise<ExitCode> {
  return new Promise((resolve, reject) => {
    const child = spawn(client, words, { stdio: 'inherit' })
    // A key at the terminal has reached the client already; a second time does no harm.
    for (const signal of HANDED_ON) process.on(signal, () => child.kill(signal))
    child.once('error', error => reject(cannotRun(`Cannot start ${client}: ${error.message}`)))
    child.once('close', (code, signal) => resolve(code ?? SIGNAL_BASE + constants.signals[signal!]))
  })
}
