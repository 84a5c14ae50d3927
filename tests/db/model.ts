import { isComplete, isUnsuccessful, type JobStatus } from '../../api/core/status.ts'

/** What a job is to the rules of unblocking, claiming and losing: the database is held against this. */
export type ModelJob = {
  dependsOn: number[]
  cancelOnFailure: boolean
  priority: number
  status: JobStatus
  attempt: number
  losses: number
  /** The attempts of this run that have a result: each has one at most. */
  ended: Set<number>
  /** Late reports that were refused and kept: attempt and status. */
  superseded: Set<string>
}

/** A workflow in memory, by the words of contract/notes.md 9 to 11 and 18; jobs are named by their position. */
export class Model {
  readonly jobs: ModelJob[]
  readonly lossBudget: number

  constructor(jobs: readonly Pick<ModelJob, 'dependsOn' | 'cancelOnFailure' | 'priority'>[], lossBudget: number) {
    this.jobs = jobs.map(job => ({
      ...job,
      status: 'ready',
      attempt: 1,
      losses: 0,
      ended: new Set(),
      superseded: new Set(),
    }))
    this.lossBudget = lossBudget
    for (const job of this.jobs) if (this.#waits(job)) job.status = 'blocked'
  }

  /** The jobs a queue-depth claim gets. */
  next(limit: number): number[] {
    const ready = this.jobs.flatMap((job, at) => (job.status === 'ready' ? [at] : []))
    return ready.sort((a, b) => this.jobs[b]!.priority - this.jobs[a]!.priority || a - b).slice(0, limit)
  }

  claim(jobs: readonly number[], status: 'pending' | 'running'): void {
    for (const at of jobs) this.jobs[at]!.status = status
  }

  /** An accepted report. */
  end(at: number, status: JobStatus): void {
    const job = this.jobs[at]!
    job.status = status
    job.ended.add(job.attempt)
    if (isComplete(status)) this.#tell(at)
  }

  endWithAllocation(at: number): void {
    const job = this.jobs[at]!
    if (job.losses < this.lossBudget) {
      job.ended.add(job.attempt)
      this.#lose(job)
    } else this.end(at, 'terminated')
  }

  release(at: number): void {
    this.jobs[at]!.status = 'ready'
  }

  /** The node is gone: an attempt is lost, or the job fails with it. */
  loseNode(at: number): void {
    const job = this.jobs[at]!
    if (job.losses < this.lossBudget) this.#lose(job)
    else {
      job.losses++
      this.end(at, 'failed')
    }
  }

  /** A success of an attempt that was taken back and whose job is nobody's. */
  salvage(at: number, attempt: number): void {
    const job = this.jobs[at]!
    job.status = 'completed'
    job.ended.add(attempt)
    this.#tell(at)
  }

  /** Given back to the runner that never stopped: the loss stays counted. */
  reclaim(at: number): void {
    this.jobs[at]!.status = 'running'
  }

  retry(at: number): void {
    const job = this.jobs[at]!
    job.status = 'ready'
    job.attempt++
    // What was canceled because of it, directly or not, waits again; so does what is ready because of it.
    const reopened = [at]
    for (const open of reopened) {
      for (const [below, other] of this.jobs.entries()) {
        if (!other.dependsOn.includes(open)) continue
        if (other.status === 'canceled' && other.cancelOnFailure) {
          other.status = 'blocked'
          reopened.push(below)
        } else if (other.status === 'ready') other.status = 'blocked'
      }
    }
  }

  initialize(): void {
    for (const job of this.jobs) {
      if (isComplete(job.status) && job.status !== 'terminated') {
        if (this.#waits(job)) job.status = 'blocked'
      } else job.status = this.#waits(job) ? 'blocked' : 'ready'
    }
  }

  #lose(job: ModelJob): void {
    job.status = 'ready'
    job.attempt++
    job.losses++
  }

  #waits = (job: ModelJob): boolean => job.dependsOn.some(at => !isComplete(this.jobs[at]!.status))

  #tell(finished: number): void {
    for (const [at, job] of this.jobs.entries()) {
      if (job.status !== 'blocked' || !job.dependsOn.includes(finished) || this.#waits(job)) continue
      const failed = job.dependsOn.some(dependency => isUnsuccessful(this.jobs[dependency]!.status))
      job.status = failed && job.cancelOnFailure ? 'canceled' : 'ready'
      if (job.status === 'canceled') this.#tell(at)
    }
  }
}
