import { parseClockTime } from '../amounts.ts'
import { parseIndexList } from '../ids.ts'
import type { ListedElement, SiteLimits, Verdict } from '../types.ts'

/** Fields of `squeue -o`: array or job, index, raw id, state, reason, time left, nodes, and the name last since it may hold anything. */
export const LISTING_FORMAT = '%F|%K|%A|%T|%r|%L|%N|%j'

const QUEUED = 'PENDING CONFIGURING REQUEUED REQUEUE_HOLD REQUEUE_FED SPECIAL_EXIT RESV_DEL_HOLD'
const RUNNING = 'RUNNING COMPLETING SIGNALING STOPPED SUSPENDED STAGE_OUT RESIZING'
const FINAL = 'COMPLETED FAILED CANCELLED TIMEOUT NODE_FAIL PREEMPTED OUT_OF_MEMORY BOOT_FAIL DEADLINE REVOKED'

const STATES = new Map<string, Verdict>(
  (
    [
      [QUEUED, 'queued'],
      [RUNNING, 'running'],
      [FINAL, 'gone'],
    ] as const
  ).flatMap(([words, state]) => words.split(' ').map((word): [string, Verdict] => [word, state])),
)

/** Reasons for waiting that no time mends. Slurm accepts such requests and lets them wait for ever. */
const NEVER =
  /^(PartitionTimeLimit|PartitionNodeLimit|BadConstraints|DependencyNeverSatisfied|JobHeld(Admin|User)|JobHoldMaxRequeue|Invalid(Account|QOS)|launch failed requeued held|\w*MaxWallDurationPerJobLimit|\w*Max\w+PerJobLimit)/i

/** Reads the listing; undefined when a line is none of it, as from an error that was printed among the rows. */
export function parseListing(text: string): ListedElement[] | undefined {
  const elements: ListedElement[] = []
  for (const line of text.split('\n')) {
    if (line === '') continue
    const rows = parseRow(line)
    if (rows === undefined) return undefined
    elements.push(...rows)
  }
  return elements
}

function parseRow(line: string): ListedElement[] | undefined {
  const [allocation = '', task = '', , word, reason = '', left = '', nodes = '', ...name] = line.split('|')
  if (!/^\d+$/.test(allocation) || word === undefined || name.length === 0) return undefined
  const state = STATES.get(word) ?? 'unknown'
  const element: ListedElement = {
    allocation,
    state,
    word,
    reason: reason === 'None' || reason === '' ? undefined : reason,
    stuck: word === 'SPECIAL_EXIT' || word === 'REQUEUE_HOLD' || (state === 'queued' && NEVER.test(reason)),
    name: name.join('|'),
    nodes: nodes === '' ? undefined : nodes,
    secondsLeft: parseClockTime(left),
  }
  if (task === 'N/A') return [element]
  return parseIndexList(task)?.map(index => ({ ...element, index }))
}

/** Longest walltime by partition, of `sinfo -h -o '%P|%l'`; the default partition has a star. */
export function parsePartitions(text: string): Pick<SiteLimits, 'walltimeSeconds' | 'defaultQueue'> {
  const walltimeSeconds: Record<string, number> = {}
  let defaultQueue: string | undefined
  for (const line of text.split('\n')) {
    const [, partition, star, limit] = /^([^|*]+)(\*?)\|(\S+)/.exec(line) ?? []
    if (partition === undefined) continue
    if (star === '*') defaultQueue = partition
    const seconds = parseClockTime(limit!)
    if (seconds !== undefined) walltimeSeconds[partition] = seconds
  }
  return { walltimeSeconds, defaultQueue }
}

/** Time left as `squeue -o %L` prints it. Overdue is INVALID; a job may also have no limit. */
export function parseTimeLeft(text: string): { seconds: number | undefined } | undefined {
  const word = text.trim()
  if (word === 'UNLIMITED') return { seconds: undefined }
  if (word === 'INVALID') return { seconds: 0 }
  const seconds = parseClockTime(word)
  return seconds === undefined ? undefined : { seconds }
}
