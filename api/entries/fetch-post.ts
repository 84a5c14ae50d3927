import type { Post } from '../webhooks/deliver.ts'

/** From the call to the head of the reply. */
const TIMEOUT_MS = 10_000

/**
 * Posts by fetch, where a runtime has no other way out: Workers, where the network itself is what leads to public addresses only
 * (docs/deploy.md), since no program learns the address a name stands for. Rejects without a reply in ten seconds.
 */
export const fetchPost: Post = async (url, headers, body) => {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, 'user-agent': 'headrace' },
    body,
    redirect: 'manual',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  })
  // What it says is nobody's business here, and may be without end.
  await response.body?.cancel()
  return response.status
}
