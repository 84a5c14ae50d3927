import { type EndingTimes, type ExecutionConfig, endingTimes } from './execution-settings.ts'

/** The end of a runner that has to be gone at a moment, and of its jobs: each workflow says itself how long its jobs need for theirs. */
export type RunEnd = {
  /** From this moment nothing new is taken: the jobs of some workflow are asked to end by now. */
  readonly drainAtMs: number
  /** By this moment those of all are. */
  readonly stopAtMs: number
  /** When that is for the jobs of a workflow with these settings. */
  of(config: ExecutionConfig): EndingTimes
  /** There are jobs of such a workflow. One that has gone may come back, so that it counts to the end. */
  note(config: ExecutionConfig): void
}

/** Plans the end of a runner, of which nothing is known but the usual settings until a workflow is noted. */
export function createRunEnd(endMs: number, startedAtMs: number): RunEnd {
  const of = (config: ExecutionConfig): EndingTimes => endingTimes(endMs, startedAtMs, config)
  const usual = of({}).askAtMs
  let drainAtMs = usual
  let stopAtMs = usual
  let isFirst = true
  return {
    get drainAtMs() {
      return drainAtMs
    },
    get stopAtMs() {
      return stopAtMs
    },
    of,
    note(config) {
      const { askAtMs } = of(config)
      drainAtMs = isFirst ? askAtMs : Math.min(drainAtMs, askAtMs)
      stopAtMs = isFirst ? askAtMs : Math.max(stopAtMs, askAtMs)
      isFirst = false
    },
  }
}
