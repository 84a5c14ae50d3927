import { posix } from 'node:path'
import type { System } from './system.ts'

/** A controller's directories for this process: its own group first, then every ancestor that is visible here. */
export type Hierarchy = { version: 1 | 2; directories: string[] }

/**
 * Finds the groups whose limits hold for this process, in either version of cgroups; both may be mounted at once, and a
 * controller lives in one of them. A limit of any ancestor holds as well, so all of them are listed.
 */
export function findHierarchies(system: System, controller: 'cpu' | 'memory'): Hierarchy[] {
  const groups = parseGroups(system.read('/proc/self/cgroup') ?? '')
  const mounts = parseMounts(system.read('/proc/self/mountinfo') ?? '')
  return groups.flatMap((group): Hierarchy[] => {
    if (group.version === 1 && !group.controllers.includes(controller)) return []
    const mount = mounts.find(
      candidate =>
        candidate.version === group.version && (group.version === 2 || candidate.controllers.includes(controller)),
    )
    return mount === undefined ? [] : [{ version: group.version, directories: ancestors(mount, group.path) }]
  })
}

type Group = { version: 1 | 2; controllers: string[]; path: string }
type Mount = { version: 1 | 2; controllers: string[]; root: string; point: string }

/** Lines are `hierarchy:controllers:path`; version 2 is hierarchy 0 without controllers. */
function parseGroups(text: string): Group[] {
  return text
    .split('\n')
    .map(line => /^(\d+):([^:]*):(.*)$/.exec(line))
    .filter(match => match !== null)
    .map(([, id, controllers, path]) => ({
      version: id === '0' ? 2 : 1,
      controllers: controllers!.split(','),
      path: path!,
    }))
}

/** Fields 4 and 5 are the root of the mount inside its file system and where it is mounted; after ` - ` stand type, source and options. */
function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line): Mount[] => {
    const [before, after] = line.split(' - ')
    if (before === undefined || after === undefined) return []
    const [type, , options = ''] = after.split(' ')
    if (type !== 'cgroup' && type !== 'cgroup2') return []
    const [, , , root = '/', point = '/'] = before.split(' ').map(unescapeMount)
    return [{ version: type === 'cgroup2' ? 2 : 1, controllers: options.split(','), root, point }]
  })
}

/** Blanks and the like are octal in mountinfo. */
const unescapeMount = (text: string): string =>
  text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)))

/** A container may see only the part of the tree below the mount's root; a path outside of it means the mount itself. */
function ancestors(mount: Mount, path: string): string[] {
  const below = posix.relative(mount.root, path)
  const parts = below === '' || below.startsWith('..') ? [] : below.split('/')
  return Array.from({ length: parts.length + 1 }, (_, up) =>
    posix.join(mount.point, ...parts.slice(0, parts.length - up)),
  )
}
