import { join, resolve } from 'node:path'
import { allValues } from '../command-line/arguments.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJsonList, screenWidth } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { makeDirectory } from '../make-directory.ts'
import { onEach } from '../remote/each.ts'
import { directoryOn, MACHINES, SSH_OPTIONS, sshOptions, workersOf } from '../remote/options.ts'
import { folderWord } from '../remote/scripts.ts'
import { fetchFolder, type Ran } from '../remote/ssh.ts'
import { type Column, renderTable } from '../screen/table.ts'
import { formatOf, withControlPlane, workflowId } from './ask.ts'

/** Logs of long runs are large, and lines slow. */
const TIMEOUT_MS = 3_600_000

const ARGS = {
  ...MACHINES,
  into: {
    type: 'string',
    valueHint: 'DIR',
    description: 'directory here; each machine gets a folder in it (default: remote_logs)',
  },
  ...SSH_OPTIONS,
  ...FORMAT,
  ...CONTROL_PLANE,
} as const

type Collected = { worker: string; directory: string; message?: string }

export default defineVerb({
  about:
    'Fetch what runners and jobs have printed on the machines of a workflow, also while they run; again fetches what is new. In the folder of a machine, `output` is an output directory as of a run here. Exit code 1: from some machine nothing came.',
  args: ARGS,
  examples: [
    'remote collect-logs 3',
    'remote collect-logs 3 --into logs && runner logs good --output-dir logs/ada_n1/output',
  ],
  repeatsLast: true,
  async run(args, rawArgs) {
    const format = formatOf(args.format)
    const ssh = sshOptions(allValues(ARGS, rawArgs, 'ssh-option'), process.env)
    const into = resolve(args.into ?? 'remote_logs')
    return withControlPlane(args, async controlPlane => {
      const id = await workflowId(controlPlane, args.workflow)
      const workers = await workersOf(controlPlane, id, args._.slice(1))
      const collected = await onEach(workers, async (worker): Promise<Collected> => {
        const directory = join(into, worker.folder)
        makeDirectory(directory)
        const from = folderWord(directoryOn(worker, id, args.directory))
        return {
          worker: worker.name,
          directory,
          message: troubleOf(await fetchFolder(worker, from, directory, ssh, TIMEOUT_MS)),
        }
      })
      if (format === 'json') printJsonList(collected)
      else print(renderTable(COLUMNS, collected, screenWidth()))
      return collected.some(({ message }) => message !== undefined) ? 1 : 0
    })
  },
})

const COLUMNS: readonly Column<Collected>[] = [
  { title: 'WORKER', value: one => one.worker },
  { title: 'DIRECTORY', value: one => one.directory },
  { title: 'MESSAGE', value: one => one.message },
]

function troubleOf(ran: Ran): string | undefined {
  if (ran.kind === 'unreachable') return ran.message
  return ran.code === 0 ? undefined : ran.stderr.trim().split('\n').at(-1)
}
