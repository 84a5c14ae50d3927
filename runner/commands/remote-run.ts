import { realpathSync } from 'node:fs'
import { needAddress, nodeUrl } from '../allocate/address.ts'
import type { Proof } from '../client/authorization.ts'
import { isLoopback } from '../client/proxy.ts'
import { allValues } from '../command-line/arguments.ts'
import { amountFlag, countFlag, durationFlag, leaseFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { defineVerb } from '../command-line/verb.ts'
import { readRelayToken } from '../relay/token-file.ts'
import { askEach } from '../remote/each.ts'
import { directoryOn, MACHINES, SSH_OPTIONS, sshOptions, workersOf } from '../remote/options.ts'
import { startScript } from '../remote/scripts.ts'
import { showStates } from '../remote/show.ts'
import { formatOf, withControlPlane, workflowId } from './ask.ts'

/** Node's start on a slow disk, after the connection. */
const TIMEOUT_MS = 60_000

const ARGS = {
  ...MACHINES,
  'node-url': {
    type: 'string',
    valueHint: 'URL',
    description: 'where the machines find the server, if not at --url: that of a relay, for one',
  },
  'node-token-file': {
    type: 'string',
    valueHint: 'PATH',
    description: 'private file with the token that they show there (default: what this command shows to the server)',
  },
  runner: {
    type: 'string',
    valueHint: 'COMMAND',
    description: 'the runner there (default: the program that runs here if it is there too, else runner on PATH)',
  },
  cwd: {
    type: 'string',
    valueHint: 'DIR',
    description: 'directory there in which jobs start (default: that of --directory)',
  },
  'max-parallel-jobs': { type: 'string', alias: 'j', valueHint: 'N', description: 'as for `run`' },
  'num-cpus': { type: 'string', valueHint: 'N', description: 'as for `run`' },
  'memory-gb': { type: 'string', valueHint: 'N', description: 'as for `run`' },
  'num-gpus': { type: 'string', valueHint: 'N', description: 'as for `run`' },
  'time-limit': { type: 'string', valueHint: 'TIME', description: 'as for `run`' },
  'idle-exit': { type: 'string', valueHint: 'TIME', description: 'as for `run`' },
  lease: { type: 'string', valueHint: 'TIME', description: 'as for `run`' },
  label: { type: 'string', valueHint: 'LABEL', description: 'as for `run`; may be given again' },
  ...SSH_OPTIONS,
  ...FORMAT,
  ...CONTROL_PLANE,
} as const

/** Those that only the runner over there needs; they are checked here, where somebody sees the mistake. */
const PASSED_ON = {
  'max-parallel-jobs': (name: string, text: string) => countFlag(name, text, 1),
  'num-cpus': (name: string, text: string) => countFlag(name, text, 1),
  'memory-gb': amountFlag,
  'num-gpus': (name: string, text: string) => countFlag(name, text, 0),
  'time-limit': durationFlag,
  'idle-exit': durationFlag,
  lease: (_: string, text: string) => leaseFlag(text),
} as const

export default defineVerb({
  about:
    'Start a runner on each machine of a workflow, over ssh. It goes on when this command has ended; where one runs already nothing happens. Exit code 1: on some machine none could be started.',
  args: ARGS,
  examples: [
    'remote run 3 --url http://login1:8080',
    'remote run 3 ada@n2 --url http://login1:8080 --num-cpus 8 --directory /scratch/ada/headrace',
  ],
  repeatsLast: true,
  async run(args, rawArgs) {
    const format = formatOf(args.format)
    const ssh = sshOptions(allValues(ARGS, rawArgs, 'ssh-option'), process.env)
    const own = Object.entries(PASSED_ON).flatMap(([name, check]) => {
      const text = args[name as keyof typeof PASSED_ON]
      if (text === undefined) return []
      check(`--${name}`, text)
      return [`--${name}`, text]
    })
    const labels = allValues(ARGS, rawArgs, 'label').flatMap(label => ['--label', label])
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const workers = await workersOf(controlPlane, id, args._.slice(1))
      const address = needAddress(controlPlane)
      const url = nodeUrl(args['node-url'], address)
      if (isLoopback(new URL(url).hostname))
        process.stderr.write(`The machines are told to find the server at ${url}: --node-url names another address\n`)
      const tokenFile = args['node-token-file']
      const proof = tokenFile === undefined ? address : { token: readRelayToken(tokenFile) }
      const scriptFor = (worker: (typeof workers)[number]): string =>
        startScript({
          directory: directoryOn(worker, id, args.directory),
          cwd: args.cwd,
          program: args.runner,
          ownProgram: [process.execPath, realpathSync(process.argv[1]!)],
          words: ['run', String(id), '--url', url, ...own, ...labels],
          environment: environmentFor(proof),
        })
      const states = await askEach(workers, scriptFor, ssh, TIMEOUT_MS)
      showStates(states, format)
      const started = states.every(
        ({ state, exit_code }) => state === 'running' || (state === 'ended' && exit_code === 0),
      )
      return started ? 0 : 1
    })
  },
})

function environmentFor({ token, user }: Proof): Record<string, string> {
  if (token === undefined) return {}
  return user === undefined ? { HEADRACE_TOKEN: token } : { TORC_PASSWORD: token, TORC_USERNAME: user }
}
