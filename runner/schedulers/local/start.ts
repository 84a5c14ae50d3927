import { spawn } from 'node:child_process'
import { mkdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { cleanEnvironment } from '../clean-environment.ts'
import type { AllocationRequest } from '../types.ts'
import { type LocalAllocation, listIds, readAllocation, readElements, writeState } from './state.ts'
import { SUPERVISOR } from './supervisor.ts'

/** Ended allocations are forgotten after this long, as batch schedulers do. */
const KEPT_MS = 7 * 86_400_000

/** Takes the next id and starts a supervisor for the script; returns the id. Throws what the system says. */
export function startAllocation(
  root: string,
  script: string,
  request: Pick<AllocationRequest, 'name' | 'directory' | 'array' | 'walltimeSeconds'>,
  env: NodeJS.ProcessEnv,
): string {
  const id = takeId(root)
  const directory = join(root, id)
  const { first, last, throttle = last - first + 1 } = request.array ?? { first: 1, last: 1 }
  const facts: LocalAllocation = { name: request.name, first, last, plain: request.array === undefined }
  writeState(directory, 'throttle', String(throttle))
  writeState(directory, 'allocation.json', JSON.stringify(facts))
  const output = join(request.directory, `${request.name}.o${id}_`)
  const words = [script, first, last, request.walltimeSeconds, output, id].map(String)
  const supervisor = spawn('/bin/bash', ['--noprofile', '--norc', '-c', SUPERVISOR, 'headrace-local', ...words], {
    cwd: directory,
    env: cleanEnvironment(env),
    stdio: 'ignore',
    detached: true,
  })
  // Nothing to say here: without a supervisor the allocation is gone after a moment, and listed so.
  supervisor.on('error', () => {})
  supervisor.unref()
  return id
}

/** Directories are made by one process at a time, whoever else submits at the same moment. */
function takeId(root: string): string {
  mkdirSync(root, { recursive: true, mode: 0o700 })
  const ids = listIds(root)
  for (let number = Math.max(0, ...ids.map(Number)) + 1; ; number++) {
    try {
      mkdirSync(join(root, String(number)))
      return String(number)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

/** Removes what ended long ago. */
export function forgetOld(root: string, nowMs: number): void {
  for (const id of listIds(root)) {
    const directory = join(root, id)
    const made = statSync(directory, { throwIfNoEntry: false })
    if (made === undefined || nowMs - made.mtimeMs < KEPT_MS) continue
    const allocation = readAllocation(directory)
    const ended =
      allocation === undefined || readElements(directory, id, allocation, nowMs).every(row => row.state === 'gone')
    if (ended) rmSync(directory, { recursive: true, force: true })
  }
}
