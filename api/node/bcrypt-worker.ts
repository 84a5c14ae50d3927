import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'

export type BcryptWorker = {
  /** Whether the password has this hash. Rejects when the thread ended, or took longer than any honest hash does. */
  compare(password: string, hash: string): Promise<boolean>
  close(): Promise<void>
}

type Question = { password: string; hash: string }
type Answer = boolean | { message: string }

/** Cost 12 takes a quarter of a second, each step doubles it; a hash that takes longer than this would hold everybody else. */
const LONGEST_MS = 30_000

/** What the thread runs: a text, so that it is at hand in a bundle too. It answers one question after another. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads')
const bcrypt = require(workerData)
parentPort.on('message', ({ password, hash }) => {
  try {
    parentPort.postMessage(bcrypt.compareSync(password, hash))
  } catch (error) {
    parentPort.postMessage({ message: String(error) })
  }
})
`

/**
 * Compares passwords on a thread of its own, which starts with the first of them: bcrypt is made to be slow, and the server must go on
 * meanwhile. One comparison at a time: callers wait for one before they begin the next.
 */
export function createBcryptWorker(): BcryptWorker {
  let worker: Worker | undefined

  function start(): Worker {
    const started = new Worker(PROGRAM, {
      eval: true,
      workerData: createRequire(import.meta.url).resolve('bcryptjs'),
    })
    // The server keeps the process alive, not this thread.
    started.unref()
    started.on('exit', () => {
      if (worker === started) worker = undefined
    })
    return started
  }

  return {
    compare(password, hash) {
      worker ??= start()
      return ask(worker, { password, hash })
    },
    async close() {
      await worker?.terminate()
    },
  }
}

function ask(worker: Worker, question: Question): Promise<boolean> {
  return new Promise<boolean>((resolve, reject) => {
    const timer = setTimeout(() => {
      void worker.terminate()
      fail(new Error(`bcrypt took longer than ${LONGEST_MS / 1000} s`))
    }, LONGEST_MS)
    const forget = () => {
      clearTimeout(timer)
      worker.off('message', answer)
      worker.off('error', fail)
      worker.off('exit', ended)
    }
    const answer = (given: Answer) => {
      forget()
      if (typeof given === 'boolean') resolve(given)
      else reject(new Error(given.message))
    }
    const fail = (error: Error) => {
      forget()
      reject(error)
    }
    const ended = () => fail(new Error('the thread that compares passwords has ended'))
    worker.on('message', answer)
    worker.on('error', fail)
    worker.on('exit', ended)
    worker.postMessage(question)
  })
}
