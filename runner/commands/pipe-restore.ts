import { resolve } from 'node:path'
import { cannotRun, usageError } from '../command-line/error.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { type Restored, restore } from '../pipe/restore.ts'
import { formatOf, withControlPlane } from './ask.ts'

export default defineVerb({
  about:
    'Read a run directory back, wherever it was moved to: the path given wins over the stored one, results in it are told to the control plane, and what cannot be read is listed.',
  args: {
    dir: { type: 'string', valueHint: 'DIR', description: 'the run directory, such as headrace_output/pipe/run_0001' },
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['pipe restore --dir /archive/run_0001'],
  exitCodes: { 1: 'some of its files cannot be read' },
  async run(args) {
    const format = formatOf(args.format)
    if (args.dir === undefined) throw usageError('Cannot restore without --dir: name the run directory')
    const directory = resolve(args.dir)
    return withControlPlane(args, async ({ client, where }) => {
      const restored = await restore(client, directory)
      if (restored.kind === 'refused')
        throw cannotRun(`Cannot restore ${directory} from ${where} as ${restored.reason}`)
      if (format === 'json') printJson(toItem(restored))
      else print(render(restored))
      return restored.unreadable.length > 0 ? 1 : 0
    })
  },
})

type Done = Extract<Restored, { kind: 'restored' }>

const toItem = ({ kind: _, ...rest }: Done) => rest

function render({ id, state, directory, members, unreadable, unknown_kinds, results, accepted }: Done): string {
  const lines = [
    `Pipe run ${id} is ${state}; its directory is ${directory}`,
    `${members} members read, ${results} results, ${accepted} of them new`,
    ...unknown_kinds.map(({ job_id, kind }) => `Of an unknown kind, and will fail when run: job ${job_id} (${kind})`),
    ...unreadable.map(path => `Cannot be read: ${path}`),
  ]
  return lines.join('\n')
}
