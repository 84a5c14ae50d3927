/** Users and their bcrypt hashes. */
export type Users = ReadonlyMap<string, string>

/** Thrown for a file that cannot be used; the message tells why, without what stands in it. */
export class BadPasswordFile extends Error {}

/** bcrypt in its three spellings, cost 4 to 31, 22 characters of salt and 31 of hash. */
const BCRYPT = /^\$2[aby]\$(0[4-9]|[12]\d|3[01])\$[./A-Za-z0-9]{53}$/

/**
 * Reads an htpasswd file (contract/notes.md 17.5): `user:hash` in each line, blank ones and those that begin with # left out; the last
 * line of a user counts. Throws BadPasswordFile naming the line that cannot be read, and for a file without any user.
 */
export function parseHtpasswd(text: string): Users {
  const users = new Map<string, string>()
  text.split(/\r?\n/).forEach((line, index) => {
    const entry = line.trim()
    if (entry === '' || entry.startsWith('#')) return
    const colon = entry.indexOf(':')
    const hash = entry.slice(colon + 1)
    if (colon < 1 || !BCRYPT.test(hash))
      throw new BadPasswordFile(`line ${index + 1} must be user:hash with a bcrypt hash ($2a$, $2b$ or $2y$)`)
    users.set(entry.slice(0, colon), hash)
  })
  if (users.size === 0) throw new BadPasswordFile('it names no user')
  return users
}

/**
 * A hash for a user that does not exist, so that the answer takes as long as for one that does: with the cost of some entry of the
 * file, always the same one for the same name. No password fits it.
 */
export function standInHash(users: Users, name: string): string {
  const hashes = [...users.values()]
  let sum = 0
  for (const char of name) sum = (sum * 31 + char.codePointAt(0)!) >>> 0
  return `${hashes[sum % hashes.length]!.slice(0, 7)}${'.'.repeat(53)}`
}
