import { allValues } from '../command-line/arguments.ts'
import { durationFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { defineVerb } from '../command-line/verb.ts'
import { askEach } from '../remote/each.ts'
import { directoryOn, MACHINES, SSH_OPTIONS, sshOptions, workersOf } from '../remote/options.ts'
import { stopScript } from '../remote/scripts.ts'
import { showStates } from '../remote/show.ts'
import { formatOf, withControlPlane, workflowId } from './ask.ts'

/** A runner gives its jobs half a minute between TERM and KILL. */
const WAIT_SECONDS = 45
const CONNECT_MS = 30_000

const ARGS = {
  ...MACHINES,
  drain: { type: 'boolean', description: 'let the jobs that run end first' },
  wait: { type: 'string', valueHint: 'TIME', description: `wait this long for the end (default: ${WAIT_SECONDS}s)` },
  ...SSH_OPTIONS,
  ...FORMAT,
  ...CONTROL_PLANE,
} as const

export default defineVerb({
  about:
    'End the runners on the machines of a workflow; jobs that run there are ended and given back, with --drain they end first. Exit code 1: some machine did not answer, or its runner still runs.',
  args: ARGS,
  examples: ['remote stop 3', 'remote stop 3 ada@n1 --drain --wait 2h'],
  repeatsLast: true,
  async run(args, rawArgs) {
    const format = formatOf(args.format)
    const ssh = sshOptions(allValues(ARGS, rawArgs, 'ssh-option'), process.env)
    const waitSeconds = durationFlag('--wait', args.wait) ?? WAIT_SECONDS
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const workers = await workersOf(controlPlane, id, args._.slice(1))
      const script = (worker: (typeof workers)[number]): string =>
        stopScript(directoryOn(worker, id, args.directory), args.drain ? 'INT' : 'TERM', waitSeconds)
      const states = await askEach(workers, script, ssh, CONNECT_MS + waitSeconds * 1000)
      showStates(states, format)
      return states.every(({ state }) => state === 'ended' || state === 'none') ? 0 : 1
    })
  },
})
