import { isAbsolute } from 'node:path'
import { usageError } from '../command-line/error.ts'
import type { AllocationRequest, SchedulerName } from './types.ts'

/** What no scheduler's way of quoting and expanding leaves alone. */
const ODD_IN_PATH = /[^\p{L}\p{N} /._+=@,~-]/u
/** Names of queues, accounts and the like in every scheduler. */
const WORD = /^[\w.@:/=+,-]+$/

const WORD_FIELDS = ['queue', 'account', 'qos', 'reservation'] as const
type WordField = (typeof WORD_FIELDS)[number]

/**
 * Throws a usage error when a request cannot be written as a script: amounts that are not whole, a throttle below 1, names or paths that
 * a scheduler would read otherwise, or a field (`unsupported`) that this scheduler has no word for.
 */
export function checkRequest(
  scheduler: SchedulerName,
  request: AllocationRequest,
  unsupported: readonly (WordField | 'nodes')[] = [],
): void {
  const bad = (field: string, rule: string, value: unknown): never => {
    throw usageError(`Cannot ask ${scheduler} for an allocation as ${field} must be ${rule}: current value is ${value}`)
  }
  const whole = (field: string, value: number, least: number): void => {
    if (!Number.isSafeInteger(value) || value < least) bad(field, `a whole number >= ${least}`, value)
  }
  if (!/^[A-Za-z][\w.-]{0,63}$/.test(request.name))
    bad('name', 'a letter and up to 63 letters, digits, _ . -', request.name)
  whole('nodes', request.nodes, 1)
  whole('cores', request.cores, 1)
  whole('memoryBytes', request.memoryBytes, 0)
  whole('gpus', request.gpus, 0)
  whole('walltimeSeconds', request.walltimeSeconds, 1)
  if (request.array !== undefined) {
    const { first, last, throttle } = request.array
    whole('array.first', first, 1)
    whole('array.last', last, first)
    if (throttle !== undefined) whole('throttle', throttle, 1)
  }
  for (const field of ['directory', 'cwd', 'environmentFile'] as const) {
    const path = request[field]
    if (path !== undefined && (!isAbsolute(path) || ODD_IN_PATH.test(path)))
      bad(field, 'an absolute path of letters, digits, blanks and / . _ + = @ , ~ -', path)
  }
  for (const field of WORD_FIELDS) {
    const word = request[field]
    if (word !== undefined && !WORD.test(word)) bad(field, 'one word', JSON.stringify(word))
    if (word !== undefined && unsupported.includes(field)) bad(field, `absent (${scheduler} has none)`, word)
  }
  if (request.nodes > 1 && unsupported.includes('nodes')) bad('nodes', `1 (${scheduler} gives one node)`, request.nodes)
  if (/\n/.test(request.command) || request.command.trim() === '')
    bad('command', 'one line', JSON.stringify(request.command))
  for (const name of Object.keys(request.environment ?? {})) {
    if (!/^[A-Za-z_]\w*$/.test(name)) bad('environment', 'names of variables', name)
  }
  for (const line of request.site?.directives ?? []) {
    if (/\n/.test(line)) bad('site.directives', 'lines', JSON.stringify(line))
  }
}
