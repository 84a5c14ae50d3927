import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * What the imitations of PBS and HTCondor share: a state directory, a clock that tests put forward, and elements that really run. There is
 * no daemon: whoever calls a client program lets the time pass.
 *
 * Files: state.json; `fault` (what goes wrong now, one word and perhaps a number); `clock` (milliseconds that are added to the time).
 */
const KILL_DELAY_MS = 10_000
/** How many elements fit at once. */
const PLACES = 8

const directory = process.env.FAKE_SCHEDULER_STATE
if (directory === undefined) throw new Error('FAKE_SCHEDULER_STATE is not set')

const read = name => (existsSync(join(directory, name)) ? readFileSync(join(directory, name), 'utf8').trim() : '')

export const fault = () => {
  const [name = '', argument = ''] = read('fault').split(' ')
  return { name, argument }
}
export const clearFault = () => writeFileSync(join(directory, 'fault'), '')
export const now = () => Date.now() + Number(read('clock') || 0)
export const pathOf = name => join(directory, name)
export const sleep = ms => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms)

/** Changes the state as one program at a time. */
export function withState(change) {
  const lock = join(directory, 'lock')
  for (let tries = 0; ; tries++) {
    try {
      mkdirSync(lock)
      break
    } catch {
      if (tries > 1000) throw new Error(`${lock} is held`)
      sleep(10)
    }
  }
  try {
    const text = read('state.json')
    const state = text === '' ? { next: 1, jobs: [] } : JSON.parse(text)
    const result = change(state)
    writeFileSync(join(directory, 'state.json.tmp'), JSON.stringify(state))
    renameSync(join(directory, 'state.json.tmp'), join(directory, 'state.json'))
    return result
  } finally {
    rmdirSync(lock)
  }
}

export const isAlive = pid => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
    return !/^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
  } catch {
    return false
  }
}

const signal = (pid, name) => {
  try {
    process.kill(-pid, name)
  } catch {
    // It has ended.
  }
}

/**
 * Lets the time pass: what has ended is noted, what is over its walltime or deleted is ended, and what waits is started by `launch(job,
 * element)`, which says the command and its environment. `onOverdue` decides about walltime where TERM and KILL are not what happens.
 */
export function tick(state, launch, onOverdue = element => end(element)) {
  const running = []
  for (const job of state.jobs) {
    for (const element of job.elements) {
      if (element.state !== 'R') continue
      reap(job, element)
      if (element.state !== 'R') continue
      if (now() > element.startedAt + job.walltime * 1000 && element.termAt === undefined) onOverdue(element)
      if (element.termAt !== undefined && now() > element.termAt + KILL_DELAY_MS) signal(element.pid, 'SIGKILL')
      running.push(element)
    }
  }
  let room = PLACES - running.length
  for (const job of state.jobs) {
    let here = job.elements.filter(element => element.state === 'R').length
    for (const element of job.elements) {
      if (element.state !== 'Q' || job.held || room < 1 || here >= (job.throttle ?? Infinity)) continue
      start(job, element, launch(job, element))
      room--
      here++
    }
  }
}

const exitFile = (job, element) => pathOf(`${job.number}.${element.index ?? 'x'}.${element.starts}.exit`)

function reap(job, element) {
  const file = exitFile(job, element)
  if (existsSync(file)) element.exit = Number(readFileSync(file, 'utf8'))
  else if (isAlive(element.pid)) return
  else element.exit = 271
  element.state = 'X'
  element.endedAt = now()
}

const WRAPPER = 'out=$1 err=$2 exit=$3; shift 3; "$@" >>"$out" 2>>"$err"; echo $? >"$exit.tmp"; mv "$exit.tmp" "$exit"'

function start(job, element, { argv, env, output, error = output, cwd }) {
  element.starts = (element.starts ?? 0) + 1
  const child = spawn('/bin/bash', ['-c', WRAPPER, 'fake', output, error, exitFile(job, element), ...argv], {
    detached: true,
    stdio: 'ignore',
    env,
    cwd,
  })
  child.unref()
  Object.assign(element, { state: 'R', pid: child.pid, startedAt: now(), termAt: undefined })
}

/** TERM now, KILL later. What only waits is over at once. */
export function end(element) {
  if (element.state === 'Q') Object.assign(element, { state: 'X', exit: 271, endedAt: now() })
  if (element.state !== 'R' || element.termAt !== undefined) return
  element.termAt = now()
  signal(element.pid, 'SIGTERM')
}

/** The element starts again under the same id, as after a lost node: its old process lives on. */
export const requeue = element => Object.assign(element, { state: 'Q', termAt: undefined })

/** Prints and ends, for good. */
export function finish(code, { out = '', err = '' } = {}) {
  process.stdout.write(out)
  process.stderr.write(err)
  process.exitCode = code
  throw new Finished()
}
export class Finished extends Error {}

/** Runs a client program; those that never answer are ended by whoever asked. */
export function main(programs) {
  const [, , name, ...words] = process.argv
  const { name: wrong, argument } = fault()
  if (wrong === 'slow') sleep(Number(argument))
  if (wrong === 'hang') sleep(600_000)
  try {
    programs[name](words)
  } catch (error) {
    if (!(error instanceof Finished)) throw error
  }
}
