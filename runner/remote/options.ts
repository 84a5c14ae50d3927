import { usageError } from '../command-line/error.ts'
import { NAMED_WORKFLOW } from '../command-line/options.ts'
import { listAll } from '../commands/ask.ts'
import type { ControlPlane } from '../control-plane.ts'
import type { SshOptions } from './ssh.ts'
import { parseWorker, type Worker } from './worker.ts'

/** Which machines of which workflow. */
export const MACHINES = {
  ...NAMED_WORKFLOW,
  workers: {
    type: 'positional',
    required: false,
    valueHint: 'WORKER…',
    description: 'only these machines (default: all)',
  },
} as const

/** How workers are reached, and where their files lie. */
export const SSH_OPTIONS = {
  directory: {
    type: 'string',
    valueHint: 'DIR',
    description: 'directory on the workers, below the home directory unless absolute (default: headrace_remote)',
  },
  'ssh-option': {
    type: 'string',
    valueHint: 'KEY=VALUE',
    description: "option of ssh, as after its -o; may be given again. ssh's own configuration counts as well",
  },
} as const

const DIRECTORY = 'headrace_remote'

/** Reads options of ssh. Throws a usage error for one that is none. */
export function sshOptions(settings: readonly string[], env: NodeJS.ProcessEnv): SshOptions {
  for (const setting of settings) {
    if (!/^[A-Za-z]+[= ]./.test(setting))
      throw usageError(`Cannot read --ssh-option as it must be KEY=VALUE: current value is ${setting}`)
  }
  return { settings, env }
}

/** Where the files of a worker lie: several may share a home directory. */
export function directoryOn(worker: Worker, workflowId: number, named: string | undefined): string {
  const base = (named ?? DIRECTORY).replace(/\/+$/, '')
  if (base === '' || /\n/.test(base)) throw usageError('Cannot use --directory as it is empty')
  return `${base}/wf${workflowId}/${worker.folder}`
}

/** The workers of a workflow; those that are named, or all. Throws when there are none, or one is not among them. */
export async function workersOf(
  { client, where }: ControlPlane,
  workflowId: number,
  named: readonly string[],
): Promise<Worker[]> {
  const path = `/workflows/${workflowId}/remote_workers`
  const doing = `list the remote workers of workflow ${workflowId}`
  const rows = await listAll<{ worker: string }>(client, path, doing, where)
  const known = rows.map(({ worker }) => worker)
  const strange = named.find(name => !known.includes(name))
  if (strange !== undefined) {
    throw usageError(
      `Cannot find the worker ${strange} of workflow ${workflowId}: runner remote list ${workflowId} shows those there are`,
    )
  }
  if (known.length === 0)
    throw usageError(`Cannot go on as workflow ${workflowId} has no workers: runner remote add ${workflowId} user@host`)
  return (named.length === 0 ? known : [...new Set(named)]).map(parseWorker)
}
