import { parseWalltime } from '../../api/core/spec/slurm-text.ts'

/**
 * Rows of Slurm's accounting. `sacct -D -P -n -o SACCT_FIELDS` prints a row for an allocation, followed by one for each of its steps
 * (`123.0`, `123.batch`), and the same again for each time that it was requeued; `sstat` the same measures for steps that run.
 */
export const SACCT_FIELDS =
  'JobIDRaw,JobName,State,ElapsedRaw,NNodes,AllocCPUS,TotalCPU,AveCPU,MaxRSS,MaxVMSize,MaxDiskRead,MaxDiskWrite,NodeList'
export const SSTAT_FIELDS = 'JobID,AveCPU,MaxRSS,MaxVMSize,MaxDiskRead,MaxDiskWrite'

/** The state of an allocation or a step that is not over; its figures come from sstat. */
export const RUNNING = 'RUNNING'

export type Measures = {
  aveCpuSeconds?: number
  maxRssBytes?: number
  maxVmSizeBytes?: number
  maxDiskReadBytes?: number
  maxDiskWriteBytes?: number
}

export type AccountingRow = Measures & {
  allocation: string
  /** `0`, `1`, `batch`, `extern`; undefined for the allocation itself. */
  step?: string
  name: string
  /** The first word: `CANCELLED by 1000` is CANCELLED. */
  state: string
  elapsedSeconds: number
  nodes: number
  cpus: number
  totalCpuSeconds?: number
  nodeList?: string
}

export type StepMeasures = Measures & { allocation: string; step: string }

/** Reads sacct's rows; undefined when a line is none. The name may hold bars, so fields are counted from both ends. */
export function parseSacct(text: string): AccountingRow[] | undefined {
  const rows: AccountingRow[] = []
  for (const line of text.split('\n')) {
    if (line.trim() === '') continue
    const row = parseRow(line.split('|'))
    if (row === undefined) return undefined
    rows.push(row)
  }
  return rows
}

/** How many fields stand behind the name. */
const BEHIND_NAME = SACCT_FIELDS.split(',').length - 2

function parseRow(fields: string[]): AccountingRow | undefined {
  if (fields.length < BEHIND_NAME + 2) return undefined
  const id = parseStepId(fields[0]!)
  const [state, elapsed, nodes, cpus, totalCpu, ...rest] = fields.slice(-BEHIND_NAME) as string[]
  const [aveCpu, rss, vm, read, write, nodeList] = rest
  if (id === undefined || !/^\d+$/.test(elapsed ?? '')) return undefined
  return {
    ...id,
    name: fields.slice(1, -BEHIND_NAME).join('|'),
    state: (state ?? '').split(' ')[0]!,
    elapsedSeconds: Number(elapsed),
    nodes: Number(nodes) || 0,
    cpus: Number(cpus) || 0,
    totalCpuSeconds: parseCpuTime(totalCpu),
    ...measuresOf([aveCpu, rss, vm, read, write]),
    nodeList: nodeList && nodeList !== 'None assigned' ? nodeList : undefined,
  }
}

/** Reads sstat's rows; lines that are none are left out, since it also names steps that have just ended. */
export function parseSstat(text: string): StepMeasures[] {
  return text.split('\n').flatMap(line => {
    const [id = '', ...measures] = line.split('|')
    const { allocation, step } = parseStepId(id) ?? {}
    if (allocation === undefined || step === undefined || measures.length < 5) return []
    return [{ allocation, step, ...measuresOf(measures) }]
  })
}

function parseStepId(text: string): { allocation: string; step?: string } | undefined {
  const [, allocation, step] = /^(\d+)(?:\.(\w+))?$/.exec(text.trim()) ?? []
  return allocation === undefined ? undefined : { allocation, step }
}

function measuresOf([aveCpu, rss, vm, read, write]: readonly (string | undefined)[]): Measures {
  return {
    aveCpuSeconds: parseCpuTime(aveCpu),
    maxRssBytes: parseAmount(rss),
    maxVmSizeBytes: parseAmount(vm),
    maxDiskReadBytes: parseAmount(read),
    maxDiskWriteBytes: parseAmount(write),
  }
}

/** `[D-][HH:]MM:SS[.mmm]` in seconds; undefined when nothing was measured. */
function parseCpuTime(text: string | undefined): number | undefined {
  const [, clock, fraction = '0'] = /^([\d:-]+)(?:\.(\d+))?$/.exec(text?.trim() ?? '') ?? []
  const seconds = clock === undefined ? undefined : parseWalltime(clock)
  // Two parts are minutes and seconds here, and in a walltime too; a bare number never comes.
  return seconds === undefined || !clock!.includes(':') ? undefined : seconds + Number(`0.${fraction}`)
}

const UNITS = 'KMGTPE'

/** `2048K`, `1.50M`, `0`; a bare number counts bytes. Undefined when nothing was measured. */
function parseAmount(text: string | undefined): number | undefined {
  const [, amount, unit] = /^(\d+(?:\.\d+)?)([KMGTPE])?$/.exec(text?.trim() ?? '') ?? []
  if (amount === undefined) return undefined
  return Math.round(Number(amount) * 1024 ** (unit === undefined ? 0 : UNITS.indexOf(unit) + 1))
}
