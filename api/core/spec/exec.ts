import { type Copies, combine, type NamedValues } from './copies.ts'
import { MONITOR_SECONDS, TIMES_AND_LIMITS } from './defaults.ts'
import { compileTemplate, renderTemplate } from './template.ts'
import type { ExpandedJob, ExpandedWorkflow, JsonObject } from './types.ts'
import { parseValues } from './values.ts'

/** The options of an ad-hoc run, as the command line gives them. */
export interface ExecOptions {
  /** Each `-c`. */
  commands: readonly string[]
  /** `-C`: undefined text when the file cannot be read. */
  commandsFile?: { path: string; text: string | undefined } | undefined
  /** Everything behind `--`; undefined without it. */
  words?: readonly string[] | undefined
  /** Words that belong to no option. */
  strayWords?: readonly string[] | undefined
  /** Each `--param NAME=VALUE`. */
  params: readonly string[]
  link?: string | undefined
  name: string
  description?: string | undefined
  monitor?: string | undefined
  monitorComputeNode?: string | undefined
  sampleIntervalSeconds?: number | undefined
  generatePlots?: boolean | undefined
  stdio?: string | undefined
}

/** `usage` = the options make no sense together; `input` = what they name or say cannot be used. */
export interface ExecFault {
  kind: 'usage' | 'input'
  message: string
}

export type ExecExpansion = { workflow: ExpandedWorkflow } | { fault: ExecFault }

/** Turns the options of `exec` into a workflow: one job per command and combination, counted through. */
export function expandExec(options: ExecOptions, readText: (path: string) => string | undefined): ExecExpansion {
  const usage = findUsageFault(options)
  if (usage) return fault('usage', usage)
  const commands = readCommands(options)
  if ('fault' in commands) return commands
  const copies = readCopies(options, readText)
  if ('fault' in copies) return copies
  if (copies.count === 0) return fault('input', 'a parameter has no values, so there is nothing to run')
  if (options.generatePlots && !hasTimeSeries(options)) {
    return fault('input', '--generate-plots needs a monitor at time-series')
  }
  const renderers = commands.map(command => compileCommand(command, copies))
  const jobs = renderers.flatMap(render => Array.from({ length: copies.count }, (_, copy) => render(copy)))
  return {
    workflow: toWorkflow(
      options,
      jobs.map((command, index) => plainJob(`job${index + 1}`, command)),
    ),
  }
}

function fault(kind: ExecFault['kind'], message: string): { fault: ExecFault } {
  return { fault: { kind, message } }
}

const LINKS = ['product', 'zip']
const MONITORS = ['off', 'summary', 'time-series']
const STDIO_MODES = ['separate', 'combined', 'no-stdout', 'no-stderr', 'none']
const SPEC_FILE = /\.(ya?ml|json5?|kdl)$/i

function findUsageFault(options: ExecOptions): string | undefined {
  const { words, strayWords = [], commandsFile } = options
  const [stray] = strayWords
  if (stray !== undefined) {
    const hint = SPEC_FILE.test(stray) ? `to run a workflow file: run ${stray}` : 'put the command behind --'
    return `"${stray}" belongs to no option; ${hint}`
  }
  if (words && (options.commands.length > 0 || commandsFile)) return 'a command behind -- cannot stand beside -c or -C'
  if (words ? words.length === 0 : options.commands.length === 0 && !commandsFile) return 'there is no command to run'
  const choices = [
    ['--link', options.link, LINKS],
    ['--monitor', options.monitor, MONITORS],
    ['--monitor-compute-node', options.monitorComputeNode, MONITORS],
    ['--stdio', options.stdio, STDIO_MODES],
  ] as const
  for (const [option, value, allowed] of choices) {
    if (value !== undefined && !allowed.includes(value))
      return `${option} is one of ${allowed.join(', ')}, not "${value}"`
  }
  const { sampleIntervalSeconds: interval } = options
  if (interval !== undefined && !(Number.isInteger(interval) && interval >= 1)) {
    return `--sample-interval-seconds must be a whole number >= 1, not ${interval}`
  }
  return undefined
}

/** A command is one text, or words that are quoted for the shell after the parameters are put in. */
type Command = string | readonly string[]

function readCommands({ commands, commandsFile, words }: ExecOptions): Command[] | { fault: ExecFault } {
  if (words) return [words]
  if (!commandsFile) return [...commands]
  if (commandsFile.text === undefined)
    return fault('input', `the file of commands "${commandsFile.path}" cannot be read`)
  const all = [...commands, ...readCommandLines(commandsFile.text)]
  return all.length > 0 ? all : fault('input', `the file of commands "${commandsFile.path}" has no command`)
}

/** One command per line; blank lines and lines that start with # are skipped, a later # belongs to the command. */
export function readCommandLines(text: string): string[] {
  return text
    .split(/\r?\n/)
    .map(line => line.trim())
    .filter(line => line !== '' && !line.startsWith('#'))
}

function readCopies(
  { params, link }: ExecOptions,
  readText: (path: string) => string | undefined,
): Copies | { fault: ExecFault } {
  const sources: NamedValues[] = []
  for (const param of params) {
    const [name = '', ...rest] = param.split('=')
    const trimmed = name.trim()
    if (rest.length === 0 || trimmed === '') return fault('input', `--param wants NAME=VALUE, not "${param}"`)
    if (/[{}:]/.test(trimmed)) return fault('input', `the name "${trimmed}" of a parameter holds {, } or :`)
    if (sources.some(source => source.name === trimmed))
      return fault('input', `the parameter "${trimmed}" is given twice`)
    const parsed = parseValues(rest.join('='), path => readText(path)?.split(/\r?\n/))
    if ('message' in parsed)
      return fault('input', `--param ${trimmed}: ${parsed.message}${parsed.hint ? `; ${parsed.hint}` : ''}`)
    sources.push({ name: trimmed, values: parsed.values })
  }
  const combined = combine(sources, link === 'zip' ? 'zip' : 'product')
  return 'code' in combined ? fault('input', combined.message) : combined
}

function compileCommand(command: Command, { parameters }: Copies): (copy: number) => string {
  if (typeof command === 'string') {
    const template = compileTemplate(command, parameters)
    return copy => renderTemplate(template, copy)
  }
  const templates = command.map(word => compileTemplate(word, parameters))
  return copy => templates.map(template => quoteForShell(renderTemplate(template, copy))).join(' ')
}

/** Quotes a word so that a shell reads it back as it is. */
export function quoteForShell(word: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** A job of an ad-hoc run: the smallest resources, and nothing that others depend on. */
export function plainJob(name: string, command: string): ExpandedJob {
  return {
    name,
    command,
    invocationScript: undefined,
    env: undefined,
    priority: 0,
    cancelOnBlockingJobFailure: false,
    resourceRequirements: undefined,
    scheduler: undefined,
    failureHandler: undefined,
    dependsOn: [],
    inputFiles: [],
    outputFiles: [],
    inputUserData: [],
    outputUserData: [],
    labels: [],
    tags: undefined,
    family: 'default',
    cwd: undefined,
    timeLimitSeconds: undefined,
    retry: undefined,
    transient: undefined,
    deterministic: undefined,
    eject: undefined,
  }
}

function toWorkflow(options: ExecOptions, jobs: ExpandedJob[]): ExpandedWorkflow {
  const stdioMode = (options.stdio ?? 'separate').replace('-', '_')
  return {
    ...plainWorkflow(options.name, jobs),
    description: options.description,
    executionConfig: stdioMode === 'separate' ? undefined : { mode: 'direct', stdio: { mode: stdioMode } },
    resourceMonitorConfig: toMonitor(options),
  }
}

/** A workflow of these jobs and nothing else, not even a monitor. */
export function plainWorkflow(name: string, jobs: ExpandedJob[]): ExpandedWorkflow {
  return {
    ...TIMES_AND_LIMITS,
    name,
    description: undefined,
    project: undefined,
    metadata: undefined,
    env: undefined,
    jobsSortMethod: 'gpus_runtime_memory',
    usePendingFailed: false,
    enableRoCrate: false,
    executionConfig: undefined,
    resourceMonitorConfig: undefined,
    slurmDefaults: undefined,
    accessGroups: [],
    dynamicJobs: undefined,
    retry: undefined,
    transient: undefined,
    deterministic: undefined,
    eject: undefined,
    site: undefined,
    jobs,
    files: [],
    userData: [],
    resourceRequirements: [],
    failureHandlers: [],
    slurmSchedulers: [],
    actions: [],
  }
}

function hasTimeSeries({ monitor, monitorComputeNode }: ExecOptions): boolean {
  return monitor === 'time-series' || monitorComputeNode === 'time-series'
}

/** The monitor as asked for; undefined when both are off. */
function toMonitor({ monitor = 'summary', monitorComputeNode = 'off', ...rest }: ExecOptions): JsonObject | undefined {
  if (monitor === 'off' && monitorComputeNode === 'off') return undefined
  const granularityOf = (choice: string) => choice.replace('-', '_')
  return {
    sample_interval_seconds: rest.sampleIntervalSeconds ?? MONITOR_SECONDS.sample,
    flush_interval_seconds: MONITOR_SECONDS.flush,
    generate_plots: rest.generatePlots ?? false,
    jobs: monitor === 'off' ? null : { enabled: true, granularity: granularityOf(monitor) },
    compute_node:
      monitorComputeNode === 'off'
        ? null
        : { enabled: true, granularity: granularityOf(monitorComputeNode), cpu: true, memory: true },
  }
}
