import { createHash } from 'node:crypto'
import { lstatSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Exited } from './launcher/types.ts'
import type { OpenLauncher } from './monitor/watch.ts'
import type { TakenOver } from './take-over.ts'
import type { ClaimedJob } from './wire.ts'

/** A directory of its own for each attempt, which is gone when the attempt has ended, whatever came of it. */
export type JobScratch = {
  /** What tells a job where it is; its temporary files go there too. */
  variablesFor(job: Pick<ClaimedJob, 'id' | 'attempt_id' | 'env'>): Record<string, string>
  /** The launcher, which makes the directory first: a job that cannot have one fails as one that cannot be started. */
  launcher(open: OpenLauncher): OpenLauncher
  /** Waits until all that is to go has gone. */
  close(): Promise<void>
}

const VARIABLE = 'HEADRACE_SCRATCH'

export type JobScratchOptions = {
  /** Below it; it may be on a disk of the node's own. */
  parent: string
  /** The runner's directory, which no other runner uses: it tells this runner's from those of others that share the parent. */
  runnerDirectory: string
  takenOver: TakenOver | undefined
  note(line: string): void
}

/** Begins with what a killed runner has left removed, but for the directories of jobs that go on. */
export function openJobScratch({ parent, runnerDirectory, takenOver, note }: JobScratchOptions): JobScratch {
  const own = createHash('sha256').update(runnerDirectory).digest('hex').slice(0, 12)
  const root = join(parent, `headrace-${own}`)
  /** Those of launches that have not ended, by tag. */
  const paths = new Map<number, string>()
  /** Why those that could not be made were not. */
  const refusals = new Map<number, string>()
  const removals = new Set<Promise<void>>()
  const pathFor = (job: Pick<ClaimedJob, 'id' | 'attempt_id'>): string => join(root, `j${job.id}_a${job.attempt_id}`)

  for (const { tag, job } of takenOver?.jobs ?? []) paths.set(tag, pathFor(job))
  removeAllBut(root, new Set(paths.values()))

  function make(tag: number, path: string): boolean {
    try {
      makeOwn(root)
      mkdirSync(path, { recursive: true, mode: 0o700 })
      paths.set(tag, path)
      return true
    } catch (error) {
      const { code = 'EIO', message } = error as NodeJS.ErrnoException
      refusals.set(tag, code)
      note(`A scratch directory cannot be made, so its job fails: ${message}`)
      return false
    }
  }

  function remove(tag: number): void {
    const path = paths.get(tag)
    refusals.delete(tag)
    if (path === undefined) return
    paths.delete(tag)
    const removal = rm(path, { recursive: true, force: true })
      .catch((error: Error) => note(`A scratch directory cannot be removed: ${error.message}`))
      .finally(() => removals.delete(removal))
    removals.add(removal)
  }

  function ended(exit: Exited): Exited {
    const error = refusals.get(exit.tag)
    remove(exit.tag)
    return error === undefined ? exit : { ...exit, error }
  }

  return {
    variablesFor(job) {
      const path = pathFor(job)
      // A job may have its own idea of where temporary files go.
      return { [VARIABLE]: path, TMPDIR: job.env?.TMPDIR ?? path }
    },
    launcher: open => async events => {
      const inner = await open({ ...events, onExited: exited => events.onExited(exited.map(ended)) })
      return {
        kind: inner.kind,
        launch(request) {
          const path = request.env[VARIABLE]
          // A program that is not there fails in its turn, so that what waits for it does not start beside another.
          const mayStart = typeof path !== 'string' || make(request.tag, path)
          inner.launch(mayStart ? request : { ...request, argv: [`${path}/none`] })
        },
        signal: (tag, signal) => inner.signal(tag, signal),
        recall: (tag, onAnswer) =>
          inner.recall(tag, recalled => {
            if (recalled) remove(tag)
            onAnswer?.(recalled)
          }),
        close: options => inner.close(options),
      }
    },
    async close() {
      for (const tag of [...paths.keys()]) remove(tag)
      await Promise.all(removals)
      // Not empty, not there or not ours: then it stays.
      await rmdir(root).catch(() => {})
    },
  }
}

/** The parent may be everybody's: what somebody else has put there in our place is not used, and not touched. */
function isOwn(root: string): boolean {
  const found = lstatSync(root, { throwIfNoEntry: false })
  return found?.isDirectory() === true && found.uid === process.getuid?.()
}

function makeOwn(root: string): void {
  mkdirSync(root, { recursive: true, mode: 0o700 })
  if (!isOwn(root)) throw Object.assign(new Error(`${root} is somebody else's`), { code: 'EACCES' })
}

/** What cannot be removed stays, and is in nobody's way. */
function removeAllBut(root: string, kept: ReadonlySet<string>): void {
  try {
    if (!isOwn(root)) return
    for (const name of readdirSync(root)) {
      const path = join(root, name)
      if (!kept.has(path)) rmSync(path, { recursive: true, force: true })
    }
  } catch {
    // A file system that is away says so when a job wants its directory.
  }
}
