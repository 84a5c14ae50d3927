import { createHash } from 'node:crypto'

/** Where the database server keeps what is of no project: the one that every server has. */
export const HOME_NAMESPACE = 'default'

/**
 * The name of a project's database at its server: something to recognise it by, and enough of a hash that no two projects share one,
 * however alike their names. At most 63 characters, as a label of a host name.
 */
export function namespaceOf(project: string): string {
  const words = project
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .slice(0, 40)
  const hash = createHash('sha256').update(project).digest('hex').slice(0, 16)
  return `hr-${words}-${hash}`.replace(/-+/g, '-')
}
