import { setTimeout as sleep } from 'node:timers/promises'
import { readEventStream, type ServerEvent } from '../client/event-stream.ts'
import { CommandError, cannotRun } from '../command-line/error.ts'
import { countFlag, wordFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE, FORMAT, PAGE, WORKFLOW } from '../command-line/options.ts'
import { print } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import type { ControlPlaneFlags } from '../control-plane.ts'
import { showRows } from '../nouns/show.ts'
import type { Column } from '../screen/table.ts'
import { clean } from '../screen/text.ts'
import { formatOf, listPart, withControlPlane, withQuery, workflowId } from './ask.ts'

type StoredEvent = { id: number; timestamp: number; data: unknown }

const LEVELS = ['debug', 'info', 'warning', 'error'] as const
/** A server that is restarted is waited for this many tries, a second apart. */
const PATIENCE = 60
const PAUSE_MS = 1_000

const timeOf = (ms: number): string => new Date(ms).toISOString().replace('T', ' ').slice(0, 19)

/** What events of the contract call their kind, in the order in which its own command line looks. */
function kindOf(data: unknown): string {
  if (typeof data !== 'object' || data === null) return ''
  const fields = data as Record<string, unknown>
  const kind = [fields.category, fields.event_type, fields.type, fields.action].find(value => typeof value === 'string')
  return kind === undefined ? '' : String(kind)
}

const COLUMNS: readonly (string | Column<Record<string, unknown>>)[] = [
  'id',
  { title: 'TIME', value: row => timeOf(Number(row.timestamp)) },
  { title: 'KIND', value: row => kindOf(row.data) },
  'data',
]

export default defineVerb({
  about:
    'List the events of a workflow. With --follow, show what happens from now on until Ctrl-C: one line, or with --format json one object, for each.',
  args: {
    ...WORKFLOW,
    follow: { type: 'boolean', alias: 'f', description: 'show events as they happen' },
    level: {
      type: 'string',
      valueHint: LEVELS.join('|'),
      description: 'with --follow: at least this serious (default: info)',
    },
    all: {
      type: 'boolean',
      description: 'with --follow: from the first event on, and those that the contract does not name',
    },
    category: { type: 'string', valueHint: 'TEXT', description: 'only events of this category' },
    limit: PAGE.limit,
    ...FORMAT,
    ...CONTROL_PLANE,
  },
  examples: ['events 3', 'events 3 --follow', 'events 3 --category user_action --format json'],
  async run(args) {
    const format = formatOf(args.format)
    const level = wordFlag('--level', args.level, LEVELS)
    const limit = countFlag('--limit', args.limit, 0)
    if (args.follow) {
      await follow(args, args.workflow, { level, all: args.all === true, asJson: format === 'json' })
      return 0
    }
    return withControlPlane(args, async controlPlane => {
      const { client, where } = controlPlane
      const id = await workflowId(controlPlane, args.workflow)
      const path = withQuery('/events', { workflow_id: id, category: args.category })
      const events = await listPart<StoredEvent>(client, path, { limit }, `list events of workflow ${id}`, where)
      showRows({ many: 'events', columns: COLUMNS }, events, format)
      return 0
    })
  },
})

type Following = { level: string | undefined; all: boolean; asJson: boolean }

/** Shows events until Ctrl-C, until nobody reads them or until nobody serves the workflow any more; a break of the connection is bridged. */
async function follow(flags: ControlPlaneFlags, workflow: string | undefined, { level, all, asJson }: Following) {
  const stop = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => stop.abort())
  process.stdout.once('error', () => stop.abort())
  let lastEventId = all ? '0' : undefined
  let id: number | undefined
  for (let failures = PATIENCE; !stop.signal.aborted; ) {
    try {
      const served = await findServed(flags, id === undefined ? workflow : String(id))
      if (served.address === undefined) {
        if (id !== undefined) return
        throw cannotRun(
          `Cannot follow workflow ${served.id} as nobody serves ${served.where}: events without --follow lists them`,
        )
      }
      id = served.id
      const path = withQuery(`/workflows/${id}/events/stream`, { level, types: all ? 'all' : undefined })
      for await (const event of readEventStream(served.address, process.env, {
        path,
        lastEventId,
        signal: stop.signal,
      })) {
        lastEventId = event.id ?? lastEventId
        print(asJson ? event.data : lineOf(event))
      }
      failures = 0
    } catch (error) {
      if (++failures > PATIENCE) throw asTrouble(error, id)
    }
    await sleep(PAUSE_MS, undefined, { signal: stop.signal }).catch(() => {})
  }
}

/** The workflow and where it is served at the moment, if it is. */
const findServed = (flags: ControlPlaneFlags, workflow: string | undefined) =>
  withControlPlane(flags, async controlPlane => ({
    id: await workflowId(controlPlane, workflow),
    address: controlPlane.address,
    where: controlPlane.where,
  }))

/** Expected trouble keeps its words; a connection that cannot be had is told in ours. */
function asTrouble(error: unknown, id: number | undefined): unknown {
  if (error instanceof CommandError || !(error instanceof Error) || id === undefined) return error
  return cannotRun(`Cannot follow workflow ${id}: ${error.message}`)
}

type Frame = { timestamp: number; severity: string; data: Record<string, unknown> }

function lineOf({ type, data }: ServerEvent): string {
  const { timestamp, severity, data: fields } = JSON.parse(data) as Frame
  const rest = Object.entries(fields)
    .filter(([, value]) => typeof value !== 'object')
    .map(([name, value]) => `${name}=${value}`)
  return clean(`${timeOf(timestamp)} ${severity.padEnd(7)} ${type} ${rest.join(' ')}`)
}
