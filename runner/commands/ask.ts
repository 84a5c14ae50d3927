import type { Client, Reply } from '../client.ts'
import { cannotRun } from '../command-line/error.ts'
import { idFlag, wordFlag } from '../command-line/flags.ts'
import { FORMATS, type Format } from '../command-line/options.ts'
import type { ExitCode } from '../command-line/verb.ts'
import { type ControlPlane, type ControlPlaneFlags, type OpenOptions, openControlPlane } from '../control-plane.ts'

/** Opens the control plane for one command and closes it whatever happens. */
export async function withControlPlane(
  flags: ControlPlaneFlags,
  use: (controlPlane: ControlPlane) => Promise<ExitCode>,
  options?: OpenOptions,
): Promise<ExitCode> {
  const controlPlane = await openControlPlane(flags, process.env, options)
  try {
    return await use(controlPlane)
  } finally {
    await controlPlane.close()
  }
}

/** The value of a reply; a refusal ends the command with what could not be done (`show workflow 7`) and why. */
export function expectValue<T>(reply: Reply<T>, doing: string, where: string): T {
  if (reply.ok) return reply.value
  if (reply.status === undefined) throw cannotRun(`Cannot reach the control plane at ${where}: ${reply.message}`)
  if (reply.status === 401) {
    throw cannotRun(
      `Cannot ${doing}: ${where} wants its token in HEADRACE_TOKEN. The token lies in headrace.json of the server's output directory`,
    )
  }
  throw cannotRun(`Cannot ${doing}: ${reply.message}`)
}

type Page<T> = { items: T[]; has_more: boolean; count: number }

/** Reads a list to its end, page by page. `path` may have a query. */
export async function listAll<T>(client: Client, path: string, doing: string, where: string): Promise<T[]> {
  const items: T[] = []
  for (;;) {
    const separator = path.includes('?') ? '&' : '?'
    const reply = await client.request<Page<T>>('GET', `${path}${separator}offset=${items.length}`)
    const page = expectValue(reply, doing, where)
    for (const item of page.items) items.push(item)
    if (!page.has_more || page.count === 0) return items
  }
}

/** The workflow a command is about: the one named, else the newest. */
export async function workflowId({ client, where }: ControlPlane, text: string | undefined): Promise<number> {
  if (text !== undefined) return idFlag('the workflow id', text)
  const path = '/workflows?sort_by=id&reverse_sort=true&limit=1&is_archived=false'
  const page = expectValue(await client.request<Page<{ id: number }>>('GET', path), 'list workflows', where)
  const [newest] = page.items
  if (newest === undefined) throw cannotRun(`Cannot find a workflow in ${where}: there is none yet`)
  return newest.id
}

export const formatOf = (text: string | undefined): Format => wordFlag('--format', text, FORMATS) ?? 'table'
