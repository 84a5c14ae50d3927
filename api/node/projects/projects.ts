import { listTokenProjects } from '../../../db/tokens.ts'
import type { Db } from '../../../db/unit.ts'
import { readCredentials } from '../../access-credentials.ts'
import { parseToken } from '../../core/token-text.ts'
import { AppError } from '../../errors.ts'
import { HEALTH_PATH } from '../../health.ts'
import { refusalOf } from '../../refusal.ts'
import type { TokenCheck } from '../../tokens/check.ts'

/** What serves one database, and what it is served from. */
export type Served = { db: Db; fetch: Fetch; stop(): Promise<void> }

/** `env`: what the runtime tells of the connection. */
export type Fetch = (request: Request, env?: unknown) => Response | Promise<Response>

export type ProjectsOptions = {
  /** The database of no project, where tokens stand, and its app. */
  home: { db: Db; fetch: Fetch }
  tokens: TokenCheck
  /** Opens what serves a project's database. */
  open(project: string): Promise<Served>
  log: (line: string) => void
}

export type Projects = {
  fetch: Fetch
  databaseOf(project: string | null | undefined): Promise<Db>
  close(): Promise<void>
}

/** How often it is looked for projects that another control plane has served first: their leases lapse here, too. */
const LOOK_MS = 60_000

/**
 * Sends each request to the database of its token's project; requests that show no such token stay at home. A project's database is
 * opened at its first request, or because a token of it was used before.
 */
export function createProjects({ home, tokens, open, log }: ProjectsOptions): Projects {
  const opened = new Map<string, Promise<Served>>()
  let lastTrouble = ''
  let looking = Promise.resolve()

  /** Trouble that stays is told once. */
  function note(error: unknown): void {
    const trouble = error instanceof Error ? error.message : String(error)
    if (trouble !== lastTrouble) log(trouble)
    lastTrouble = trouble
  }

  function served(project: string): Promise<Served> {
    const known = opened.get(project)
    if (known !== undefined) return known
    const opening = open(project).catch((error: unknown) => {
      // The next request tries again.
      opened.delete(project)
      note(error)
      throw new AppError('unavailable', 'Cannot open the database of the project now: the log of the server says why')
    })
    opened.set(project, opening)
    return opening
  }

  async function fetchOf(request: Request): Promise<Fetch> {
    const project = await projectShown(request, tokens)
    return project === undefined ? home.fetch : (await served(project)).fetch
  }

  async function openAll(): Promise<void> {
    for (const project of await home.db.read(listTokenProjects)) await served(project).catch(() => undefined)
  }

  function look(): void {
    looking = openAll().catch(note)
  }

  look()
  const timer = setInterval(look, LOOK_MS)
  timer.unref()

  return {
    async fetch(request, env) {
      let fetch: Fetch
      try {
        fetch = await fetchOf(request)
      } catch (error) {
        const { body, status } = refusalOf(error, note)
        return Response.json(body, { status, headers: status === 503 ? { 'Retry-After': '5' } : {} })
      }
      return fetch(request, env)
    },
    databaseOf: async project => (project == null ? home.db : (await served(project)).db),
    async close() {
      clearInterval(timer)
      await looking
      for (const opening of opened.values()) await opening.then(({ stop }) => stop()).catch(() => undefined)
    },
  }
}

/** The project of the token that a request shows; undefined when it shows none, or none that opens. */
async function projectShown(request: Request, tokens: TokenCheck): Promise<string | undefined> {
  const secret = readCredentials(request.headers.get('authorization') ?? undefined)?.secret
  if (secret === undefined) return undefined
  const known = tokens.recall(secret)
  if (known !== undefined) return known.fence?.project ?? undefined
  // Whether the process is there does not hang on the database.
  if (parseToken(secret) === undefined || new URL(request.url).pathname === HEALTH_PATH) return undefined
  const checked = await tokens.check(secret)
  return 'fault' in checked ? undefined : (checked.grant.fence?.project ?? undefined)
}
