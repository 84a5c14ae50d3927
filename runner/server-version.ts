import type { Client } from './client.ts'

type Version = readonly [major: number, minor: number, patch: number]

/** Before it servers had no claims over many workflows, and none of what a runner says at its start and its end. */
const OLDEST: Version = [0, 3, 0]

/**
 * Why this runner and that server cannot work together, in one line; undefined when they can, or when the server does not say what it is: then
 * its answers tell. Newer servers know all that older ones did, up to the next major version.
 */
export async function checkServerVersion(client: Client, url: string, own: string): Promise<string | undefined> {
  const reply = await client.request<{ version?: unknown }>('GET', '/version')
  return reply.ok && typeof reply.value?.version === 'string' ? judgeServer(reply.value.version, url, own) : undefined
}

/** The same by what the server said: `1.0.0 (headrace 0.3.0)`, the first of which is the contract's. */
export function judgeServer(said: string, url: string, own: string): string | undefined {
  const theirs = /\(headrace ([^)]+)\)/.exec(said)?.[1]
  if (theirs === undefined)
    return `Cannot run at ${url} as this is no Headrace server but another of the same contract: it says version ${said}`
  const version = parseVersion(theirs)
  const ours = parseVersion(own)
  if (version === undefined || ours === undefined || isNone(version)) return undefined
  if (compare(version, OLDEST) < 0)
    return `Cannot run at ${url} as the server is older than this runner: it has Headrace ${theirs}, and runner ${own} needs ${OLDEST.join('.')} at least; update the server`
  if (version[0] > ours[0])
    return `Cannot run at ${url} as the server is newer than this runner: it has Headrace ${theirs}, and runner ${own} knows those before ${ours[0] + 1}.0.0; update the runner`
  return undefined
}

function parseVersion(text: string): Version | undefined {
  const parts = /^(\d+)\.(\d+)\.(\d+)/.exec(text)
  return parts === null ? undefined : [Number(parts[1]), Number(parts[2]), Number(parts[3])]
}

/** What a server says that was built without one. */
const isNone = (version: Version): boolean => version.every(part => part === 0)

const compare = (a: Version, b: Version): number => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]
