import { execFile } from 'node:child_process'
import { resolve } from 'node:path'
import { promisify } from 'node:util'
import { cannotRun } from '../command-line/error.ts'
import { amountFlag, countFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson, screenWidth } from '../command-line/output.ts'
import { defineVerb, entryFor, type Group } from '../command-line/verb.ts'
import { OUTPUT_DIR } from '../defaults.ts'
import { findClient } from '../exec/binaries.ts'
import { renderNodeStatus } from '../exec/render-status.ts'
import { runNode } from '../exec/run-node.ts'
import type { NodeStatus } from '../exec/status.ts'
import { formatOf } from './ask.ts'

const GIB = 2 ** 30
/** A list of thousands of launches that wait. */
const LARGEST_STATUS_BYTES = 64 * 1024 * 1024

const start = defineVerb({
  about:
    'Lend the cores of this node to local launches (runner exec, hr-exec), without a workflow or a server. Stops at Ctrl-C or TERM.',
  args: {
    'num-cpus': { type: 'string', valueHint: 'N', description: 'CPUs to lend (default: all this process may use)' },
    'memory-gb': {
      type: 'string',
      valueHint: 'N',
      description: 'memory to lend in GiB (default: all this process may use)',
    },
    'num-gpus': { type: 'string', valueHint: 'N', description: 'GPUs to lend (default: all that are visible)' },
    overcommit: { type: 'boolean', description: 'allow more CPUs and memory than there are' },
    'record-to': { type: 'string', valueHint: 'ID', description: 'workflow to add the records of launches to' },
    ...CONTROL_PLANE,
  },
  examples: ['node', 'node --num-cpus 8 --record-to 3 --url http://login1:8080'],
  async run(args) {
    const memoryGb = amountFlag('--memory-gb', args['memory-gb'])
    await runNode({
      wish: {
        cpus: countFlag('--num-cpus', args['num-cpus'], 1),
        memoryBytes: memoryGb === undefined ? undefined : Math.trunc(memoryGb * GIB),
        gpus: countFlag('--num-gpus', args['num-gpus'], 0),
        overcommit: args.overcommit ?? false,
      },
      outputDir: resolve(args['output-dir'] ?? OUTPUT_DIR),
      workflowId: countFlag('--record-to', args['record-to'], 1),
      controlPlane: args,
    })
    return 0
  },
})

const status = defineVerb({
  about: 'Show which local launches hold cores of this node, and which wait for some.',
  args: FORMAT,
  examples: ['node status', 'node status --format json'],
  async run(args) {
    const format = formatOf(args.format)
    const found = JSON.parse(await askClient()) as NodeStatus
    if (format === 'json') printJson(found)
    else print(renderNodeStatus(found, Date.now(), screenWidth()))
    return 0
  },
})

/** The client knows where the node's resident part is, and how to speak to it. */
async function askClient(): Promise<string> {
  try {
    const options = { maxBuffer: LARGEST_STATUS_BYTES }
    return (await promisify(execFile)(await findClient(process.env), ['--node-status'], options)).stdout
  } catch (error) {
    throw cannotRun(((error as { stderr?: string }).stderr || (error as Error).message).trim())
  }
}

const group: Group = {
  about: 'Lend the cores of this node to local launches, and show who has them.',
  verbs: { start: entryFor(start), status: entryFor(status) },
  fallback: 'start',
}
export default group
