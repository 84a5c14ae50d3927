import { parseIndexList } from '../ids.ts'
import type { ListedElement, Verdict } from '../types.ts'

/**
 * Reads `qstat -xml -g d`; undefined when it is not the whole document, since a master that is away may print another one and call it a
 * success.
 */
export function parseListing(text: string): ListedElement[] | undefined {
  const document = text.trim()
  if (!/^<\?xml\b/.test(document) || !/<job_info\b/.test(document) || !document.endsWith('</job_info>'))
    return undefined
  const elements: ListedElement[] = []
  for (const [, entry] of document.matchAll(/<job_list\b[^>]*>([\s\S]*?)<\/job_list>/g)) {
    const rows = parseEntry(entry!)
    if (rows === undefined) return undefined
    elements.push(...rows)
  }
  return elements
}

function parseEntry(entry: string): ListedElement[] | undefined {
  const allocation = field(entry, 'JB_job_number')
  if (allocation === undefined || !/^\d+$/.test(allocation)) return undefined
  const word = field(entry, 'state') ?? ''
  const queue = field(entry, 'queue_name')
  const element: ListedElement = {
    allocation,
    state: stateOf(word),
    word,
    reason: reasonOf(word),
    // Neither an error state nor a hold ends by itself.
    stuck: /[Eh]/.test(word),
    name: field(entry, 'JB_name') ?? '',
    nodes: queue === undefined || queue === '' ? undefined : queue.split('@').at(-1),
  }
  const tasks = field(entry, 'tasks')
  if (tasks === undefined) return [element]
  return parseIndexList(tasks)?.map(index => ({ ...element, index }))
}

/** Start of a running job as the list has it: local time without a zone. */
export const parseStart = (text: string, id: string, index: number | undefined): number | undefined => {
  for (const [, entry] of text.matchAll(/<job_list\b[^>]*>([\s\S]*?)<\/job_list>/g)) {
    const same =
      field(entry!, 'JB_job_number') === id && (index === undefined || field(entry!, 'tasks') === String(index))
    const start = same ? Date.parse(field(entry!, 'JAT_start_time') ?? '') : Number.NaN
    if (!Number.isNaN(start)) return start
  }
  return undefined
}

/** `h_rt` in seconds of the text of `qstat -j`. */
export function parseRunTime(text: string): number | undefined {
  const seconds = /^hard[ _]resource_list:.*\bh_rt=(\d+)/m.exec(text)?.[1]
  return seconds === undefined ? undefined : Number(seconds)
}

/** States are letters, several at once. What is being deleted runs until it is gone. */
function stateOf(word: string): Verdict {
  if (!/^[dhRrqwtsSTEPN]+$/.test(word)) return 'unknown'
  if (/d/.test(word)) return 'running'
  if (/E/.test(word)) return 'queued'
  if (/[rtsST]/.test(word)) return 'running'
  return /q/.test(word) ? 'queued' : 'unknown'
}

function reasonOf(word: string): string | undefined {
  if (/E/.test(word)) return 'error state: Grid Engine could not start it'
  return /h/.test(word) ? 'on hold' : undefined
}

function field(entry: string, name: string): string | undefined {
  const text = new RegExp(`<${name}(?:\\s[^>]*)?>([^<]*)</${name}>`).exec(entry)?.[1]
  return text?.replace(/&(lt|gt|quot|apos|amp);/g, (_, entity: string) => ENTITIES[entity]!)
}

const ENTITIES: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' }
