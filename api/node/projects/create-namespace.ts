/** The port of a libSQL server that makes databases, and what it wants to see. */
export type DatabaseAdmin = { url: string; key?: string }

const TIMEOUT_MS = 10_000

/** Has a libSQL server make a database; one that is there stays as it is. Throws when it is not known to be there afterwards. */
export async function createNamespace({ url, key }: DatabaseAdmin, namespace: string): Promise<void> {
  const headers: Record<string, string> = { 'content-type': 'application/json' }
  // Its own form of the header, literally (platform.md 4).
  if (key !== undefined) headers.authorization = `basic ${key}`
  const path = `/v1/namespaces/${namespace}/create`
  const response = await fetch(url.replace(/\/+$/, '') + path, {
    method: 'POST',
    headers,
    body: '{}',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  const text = await response.text()
  if (response.ok || (response.status === 400 && text.includes('already exists'))) return
  throw new Error(
    `Cannot create the database ${namespace}: its server answered ${response.status}: ${text.slice(0, 200)}`,
  )
}
