import { shellWord } from '../schedulers/script.ts'
import type { AllocationRequest } from '../schedulers/types.ts'
import { placesIn } from './directory.ts'
import type { PipeRun, PipeSubmission } from './wire.ts'

/** What is known of a submission before it is made: its own name, and how many elements. */
export type SubmissionWish = Pick<PipeSubmission, 'name' | 'width'>

/** As much of a run as is asked for. */
export type RequestedRun = Pick<PipeRun, 'id' | 'directory' | 'spec' | 'throttle' | 'walltime_seconds'>

/** Turns a run into what the scheduler is asked for: elements that all start the same runner, with nothing but the run's id and the server. */
export function requestFor(
  run: RequestedRun,
  { name, width }: SubmissionWish,
  environmentFile: string | undefined,
): AllocationRequest {
  const { spec } = run
  return {
    name,
    directory: placesIn(run.directory).submission(name),
    cwd: spec.cwd,
    command: elementCommand(run),
    nodes: 1,
    cores: spec.element.cores,
    memoryBytes: spec.memory_bytes ?? spec.element.memoryBytes,
    gpus: spec.element.gpus,
    walltimeSeconds: run.walltime_seconds,
    array: width === 1 ? undefined : { first: 1, last: width, throttle: run.throttle },
    perNode: false,
    queue: spec.queue,
    account: spec.account,
    qos: spec.qos,
    reservation: spec.reservation,
    environmentFile,
    site: {
      prologue: spec.prologue,
      directives: spec.directives,
      parallelEnvironment: spec.parallel_environment,
      memoryComplex: spec.memory_complex,
    },
  }
}

/** The worker's number comes from the script, which knows the scheduler's word for it. */
function elementCommand({ id, spec }: RequestedRun): string {
  const trust = spec.ca_cert === undefined ? [] : ['--ca-cert', spec.ca_cert]
  return [...spec.program, 'pipe', 'work', String(id), '--url', spec.url, ...trust].map(shellWord).join(' ')
}
