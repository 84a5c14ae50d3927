import { existsSync, readFileSync } from 'node:fs'
import type { ExecOptions } from '../../api/core/spec/exec.ts'
import { allValues } from '../command-line/arguments.ts'
import { countFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { readStandardInput, STANDARD_INPUT } from '../standard-input.ts'
import { localTime } from './local-time.ts'

const { 'output-dir': outputDir, ...rest } = CONTROL_PLANE

export const EXEC_ARGS = {
  stray: { type: 'positional', required: false, valueHint: '-- WORD...', description: 'one command, word by word' },
  command: { type: 'string', alias: 'c', valueHint: 'CMD', description: 'a command for the shell (repeatable)' },
  'commands-file': {
    type: 'string',
    alias: 'C',
    valueHint: 'FILE',
    description: 'a command per line; blank lines and lines with # in front are skipped; - reads standard input',
  },
  param: {
    type: 'string',
    valueHint: 'NAME=VALUE',
    description: 'values for {NAME}: 1:10, [a,b], @file (repeatable); a job for every combination',
  },
  link: {
    type: 'string',
    valueHint: 'HOW',
    description: 'product (default): every combination; zip: the first together',
  },
  name: { type: 'string', alias: 'n', valueHint: 'NAME', description: 'of the workflow (default: exec_DATE_TIME)' },
  description: { type: 'string', valueHint: 'TEXT', description: 'what the workflow is for' },
  'max-parallel-jobs': { type: 'string', alias: 'j', valueHint: 'N', description: 'at most N jobs at once' },
  'output-dir': { ...outputDir, alias: 'o' },
  monitor: { type: 'string', valueHint: 'HOW', description: 'of the jobs: off, summary (default) or time-series' },
  'monitor-compute-node': {
    type: 'string',
    valueHint: 'HOW',
    description: 'of the node: off (default), summary or time-series',
  },
  'sample-interval-seconds': {
    type: 'string',
    alias: 'i',
    valueHint: 'N',
    description: 'between two samples (default: 10)',
  },
  'generate-plots': { type: 'boolean', description: 'make plots at the end; needs a monitor at time-series' },
  stdio: {
    type: 'string',
    valueHint: 'HOW',
    description: 'output of jobs: separate (default), combined, no-stdout, no-stderr or none',
  },
  'dry-run': { type: 'boolean', description: 'print the workflow file that would be run, and stop; needs no server' },
  ...FORMAT,
  ...rest,
} as const

type Parsed = { [K in Exclude<keyof typeof EXEC_ARGS, 'dry-run' | 'generate-plots'>]?: string } & {
  'generate-plots'?: boolean
  _: string[]
}

/** Turns the command line of `exec-spec` into what the expansion takes; it judges whether the options go together. */
export function execOptions(args: Parsed, rawArgs: readonly string[], now: Date): ExecOptions {
  const path = args['commands-file']
  const dashes = rawArgs.indexOf('--')
  const words = dashes < 0 ? undefined : rawArgs.slice(dashes + 1)
  return {
    commands: allValues(EXEC_ARGS, rawArgs, 'command'),
    commandsFile: path === undefined ? undefined : { path, text: readCommands(path) },
    words,
    strayWords: args._.slice(0, args._.length - (words?.length ?? 0)),
    params: allValues(EXEC_ARGS, rawArgs, 'param'),
    link: args.link,
    name: args.name ?? `exec_${localTime(now)}`,
    description: args.description,
    monitor: args.monitor,
    monitorComputeNode: args['monitor-compute-node'],
    sampleIntervalSeconds: countFlag('--sample-interval-seconds', args['sample-interval-seconds'], 1),
    generatePlots: args['generate-plots'],
    stdio: args.stdio,
  }
}

function readCommands(path: string): string | undefined {
  if (path === STANDARD_INPUT) return readStandardInput('commands')
  return readTextIfThere(path)
}

/** A file that cannot be read is told by whoever wanted it. */
export function readTextIfThere(path: string): string | undefined {
  try {
    return existsSync(path) ? readFileSync(path, 'utf8') : undefined
  } catch {
    return undefined
  }
}
