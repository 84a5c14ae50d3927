import { Worker } from 'node:worker_threads'
import type { Outcome } from './finalisers.ts'

/** The first word of a thread: its program is there. */
export const READY = 'ready'

/** Threads that each do one task after the other. A task stays in one thread from start to end. */
export type Pool<Task> = {
  /** Does a task as soon as a thread is free, the first come first. Never rejects. */
  run(task: Task): Promise<Outcome>
  /** Ends the threads; to be called when nothing is under way. */
  close(): Promise<void>
}

export type PoolOptions<Task> = {
  /** Threads at most; each is made when there is a task for it. */
  threads: number
  /** The program of a thread: says READY, then answers each task with its outcome. */
  program: URL | string
  /** Does a task here, for when no thread can be made. */
  here(task: Task): Outcome | Promise<Outcome>
}

type Waiting<Task> = { task: Task; resolve(outcome: Outcome): void }

export function createPool<Task>({ threads, program, here }: PoolOptions<Task>): Pool<Task> {
  const queue: Waiting<Task>[] = []
  const idle: Worker[] = []
  const all = new Set<Worker>()
  const current = new Map<Worker, Waiting<Task>>()

  function give(worker: Worker, waiting: Waiting<Task>): void {
    current.set(worker, waiting)
    worker.ref()
    worker.postMessage(waiting.task)
  }

  function open(waiting: Waiting<Task>): void {
    const worker = new Worker(program, { execArgv: [], name: 'job-thread' })
    all.add(worker)
    let isReady = false
    worker.on('message', (outcome: Outcome | typeof READY) => {
      if (outcome === READY) {
        isReady = true
        return
      }
      current.get(worker)?.resolve(outcome)
      current.delete(worker)
      const next = queue.shift()
      if (next !== undefined) {
        give(worker, next)
        return
      }
      idle.push(worker)
      // What nobody waits for keeps no process alive.
      worker.unref()
    })
    worker.on('error', error => forget(worker, `its thread has failed: ${error.message}`, isReady))
    worker.on('exit', code => forget(worker, `its thread has ended with ${code}`, isReady))
    give(worker, waiting)
  }

  /** A thread is gone: its task has failed with it, unless the thread never began. */
  function forget(worker: Worker, error: string, wasReady: boolean): void {
    if (!all.delete(worker)) return
    const at = idle.indexOf(worker)
    if (at >= 0) idle.splice(at, 1)
    const task = current.get(worker)
    current.delete(worker)
    if (task !== undefined && wasReady) task.resolve({ error })
    else if (task !== undefined) void doHere(task)
    const next = queue.shift()
    if (next !== undefined) start(next)
  }

  const doHere = async ({ task, resolve }: Waiting<Task>): Promise<void> => resolve(await here(task))

  function start(waiting: Waiting<Task>): void {
    const worker = idle.pop()
    if (worker !== undefined) give(worker, waiting)
    else if (all.size >= threads) queue.push(waiting)
    else open(waiting)
  }

  return {
    run: task => new Promise(resolve => start({ task, resolve })),
    async close() {
      const workers = [...all]
      all.clear()
      await Promise.all(workers.map(worker => worker.terminate()))
    },
  }
}
