import { join } from 'node:path'
import type { AllocationRequest, SchedulerName, ScriptFile } from './types.ts'

/** What a scheduler adds to the shell script that all of them share. */
type ScriptParts = {
  scheduler: SchedulerName
  /** `#SBATCH`; absent where options do not stand in the script. */
  mark?: string
  directives: readonly string[]
  /** A shell word that gives the worker number, 1 to N. */
  worker: string
  /** Shell lines that stand before the site's, wherever the command runs. */
  before?: readonly string[]
  /** Starts the node script on every node, as shell lines; absent where there is no such thing. */
  onEachNode?: (nodeCommand: string) => readonly string[]
}

/** Passed on by name, since a node may be reached through a daemon that hands over no environment. */
const HANDED_OVER = ['HEADRACE_WORKER', 'HEADRACE_ALLOCATION_STARTED']

/** Which of the nodes this is, however the node script came here. */
// biome-ignore lint/suspicious/noTemplateCurlyInString: these are the shell's
const RANK = 'export HEADRACE_NODE_RANK="${HEADRACE_NODE_RANK:-${SLURM_NODEID:-${PBS_NODENUM:-0}}}"'

/**
 * The script of an element: options, what the runner needs to know as exported variables, the site's lines, the command. With
 * several nodes and a command on each, a second script is what each node runs.
 */
export function renderShell(request: AllocationRequest, parts: ScriptParts): [ScriptFile, ...ScriptFile[]] {
  const header = ['#!/bin/bash', ...options(request, parts)]
  const start = [`export HEADRACE_WORKER=${parts.worker}`, 'export HEADRACE_ALLOCATION_STARTED="$(date +%s)"']
  const name = `${request.name}.sh`
  if (request.nodes === 1 || !request.perNode || parts.onEachNode === undefined) {
    return [{ name, text: lines(...header, ...start, ...body(request, parts)) }]
  }
  const nodeName = `${request.name}.node.sh`
  const handed = HANDED_OVER.map(variable => `"${variable}=$${variable}"`).join(' ')
  const nodeCommand = `/usr/bin/env ${handed} /bin/bash ${shellWord(join(request.directory, nodeName))}`
  return [
    { name, text: lines(...header, ...start, ...parts.onEachNode(nodeCommand)) },
    { name: nodeName, text: lines('#!/bin/bash', RANK, ...body(request, parts)) },
  ]
}

function options(request: AllocationRequest, { mark, directives }: ScriptParts): string[] {
  if (mark === undefined) return []
  return [...directives, ...(request.site?.directives ?? [])].map(line => `${mark} ${line}`)
}

/** What comes after the options wherever the command runs. */
function body(request: AllocationRequest, { scheduler, before = [] }: ScriptParts): string[] {
  const exports = Object.entries({ ...ownVariables(request, scheduler), ...request.environment }).map(
    ([name, value]) => `export ${name}=${shellWord(value)}`,
  )
  const file = request.environmentFile
  return [
    ...exports,
    ...(file === undefined ? [] : [`. ${shellWord(file)} || exit 1`]),
    ...before,
    ...(request.site?.prologue ?? []),
    `cd ${shellWord(request.cwd ?? request.directory)} || exit 1`,
    // The scheduler's signals then reach the command itself; its standard input may be this script.
    `exec ${request.command} </dev/null`,
  ]
}

/** So that a node never has to guess what was asked for (hpc.md 2.1). */
function ownVariables(request: AllocationRequest, scheduler: SchedulerName): Record<string, string> {
  const { name, nodes, cores, memoryBytes, gpus, walltimeSeconds } = request
  return {
    HEADRACE_SCHEDULER: scheduler,
    HEADRACE_ALLOCATION_NAME: name,
    HEADRACE_ALLOCATION_NODES: String(nodes),
    HEADRACE_ALLOCATION_CORES: String(cores),
    HEADRACE_ALLOCATION_MEMORY_BYTES: String(memoryBytes),
    HEADRACE_ALLOCATION_GPUS: String(gpus),
    HEADRACE_ALLOCATION_WALLTIME_SECONDS: String(walltimeSeconds),
    HEADRACE_ALLOCATION_RUNNERS: String(runnersAtOnce(request)),
  }
}

/** How many runners may start in the same moment: they spread their first requests over it. */
function runnersAtOnce({ array, nodes, perNode }: AllocationRequest): number {
  const width = array === undefined ? 1 : array.last - array.first + 1
  return Math.min(width, array?.throttle ?? width) * (perNode ? nodes : 1)
}

/** Quotes what is not plain. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

const lines = (...all: string[]): string => `${all.join('\n')}\n`
