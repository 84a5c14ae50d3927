import { syncSystemAdmins } from '../../../db/access-groups.ts'
import { type AppOptions, createApp } from '../../app.ts'
import { createCommon } from '../../common.ts'
import { DEFAULT_LIMITS } from '../../context.ts'
import { measureDb } from '../../metrics/measure-db.ts'
import type { ServerPlace } from '../database-server.ts'
import { lookAfter, type Upkeep } from '../upkeep.ts'
import type { DatabaseAdmin } from './create-namespace.ts'
import { openProject } from './open-project.ts'
import { createProjects, type Fetch, type Served } from './projects.ts'

/** The app over the database that no project owns, what answers requests, and how that ends. */
export type Apps = { app: ReturnType<typeof createApp>; fetch: Fetch; close(): Promise<void> }

/** One database for everything. */
export function serveAlone(options: AppOptions): Apps {
  const app = createApp(options)
  return { app, fetch: app.fetch, close: async () => {} }
}

type ProjectServing = {
  /** What serves requests of no project. */
  home: AppOptions
  /** The database of that one. */
  place: ServerPlace
  admin?: DatabaseAdmin
  /** The system administrators, in every database; absent: they stay as they are. */
  adminUsers?: readonly string[]
  upkeep: Upkeep
}

/** A database and an app for each project; tokens, limits and counts are of all of them together. */
export function serveProjects({ home, place, admin, adminUsers, upkeep }: ProjectServing): Apps {
  const { clock = Date.now, version } = home
  const db = measureDb(home.db)
  const common = createCommon({ db, clock, version, limits: { ...DEFAULT_LIMITS, ...home.limits } })

  async function open(project: string): Promise<Served> {
    const own = await openProject(project, place, admin)
    if (adminUsers !== undefined) await own.write(() => syncSystemAdmins(adminUsers, Date.now()))
    const { fetch } = createApp({ ...home, db: own, common, home: { project } })
    const stopUpkeep = lookAfter(own, upkeep)
    return {
      db: own,
      fetch,
      async stop() {
        await stopUpkeep()
        await own.close()
      },
    }
  }

  const app = createApp({
    ...home,
    db,
    common,
    home: { project: undefined },
    databaseOf: project => projects.databaseOf(project),
  })
  const projects = createProjects({ home: { db, fetch: app.fetch }, tokens: common.tokens, open, log: upkeep.log })
  return { app, ...projects }
}
