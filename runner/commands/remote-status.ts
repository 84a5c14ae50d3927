import { allValues } from '../command-line/arguments.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { defineVerb } from '../command-line/verb.ts'
import { askEach } from '../remote/each.ts'
import { directoryOn, MACHINES, SSH_OPTIONS, sshOptions, workersOf } from '../remote/options.ts'
import { statusScript } from '../remote/scripts.ts'
import { codeOf, showStates } from '../remote/show.ts'
import { formatOf, withControlPlane, workflowId } from './ask.ts'

const TIMEOUT_MS = 30_000

const ARGS = {
  ...MACHINES,
  ...SSH_OPTIONS,
  ...FORMAT,
  ...CONTROL_PLANE,
} as const

export default defineVerb({
  about:
    'Ask every machine of a workflow for its runner: running, ended with which exit code, or none was started. Exit code 1: some machine did not answer.',
  args: ARGS,
  examples: ['remote status 3', 'remote status 3 ada@n1 --format json'],
  repeatsLast: true,
  async run(args, rawArgs) {
    const format = formatOf(args.format)
    const ssh = sshOptions(allValues(ARGS, rawArgs, 'ssh-option'), process.env)
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const workers = await workersOf(controlPlane, id, args._.slice(1))
      const script = (worker: (typeof workers)[number]): string => statusScript(directoryOn(worker, id, args.directory))
      const states = await askEach(workers, script, ssh, TIMEOUT_MS)
      showStates(states, format)
      return codeOf(states)
    })
  },
})
