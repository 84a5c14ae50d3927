import { NO_DATABASE, RemoteError } from '../../../db/hrana.ts'
import type { Db } from '../../../db/unit.ts'
import { openUpToDate, type ServerPlace } from '../database-server.ts'
import { createNamespace, type DatabaseAdmin } from './create-namespace.ts'
import { namespaceOf } from './namespace.ts'

/** Opens a project's database, which is made when it is not there; its schema is brought up to date. Throws what keeps it from that. */
export async function openProject(
  project: string,
  server: Omit<ServerPlace, 'namespace'>,
  admin: DatabaseAdmin | undefined,
): Promise<Db> {
  const namespace = namespaceOf(project)
  const open = () => openUpToDate({ ...server, namespace })
  try {
    return await open()
  } catch (error) {
    if (!(error instanceof RemoteError) || error.code !== NO_DATABASE) throw error
    if (admin === undefined)
      throw new Error(
        `Cannot find the database ${namespace} of project ${project}: create it, or name the server's administrative port with --db-admin-url`,
      )
  }
  await createNamespace(admin, namespace)
  return open()
}
