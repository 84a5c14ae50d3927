/** Where hooks may point. */
export type WebhookPolicy = {
  /** Names of hosts, in small letters; `*.example.org` stands for every name below example.org. */
  hosts: readonly string[]
  /** Plain HTTP and addresses that are not public are allowed: for receivers in the same building. */
  insideNetwork: boolean
}

/** Why a hook may not point there, as the end of "Cannot …"; undefined when it may. */
export function refusalOfUrl(text: string, { hosts, insideNetwork }: WebhookPolicy): string | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol)) return 'it must be an https:// address'
  if (url.protocol === 'http:' && !insideNetwork)
    return 'it must be an https:// address: the server has no --webhook-inside'
  if (url.username !== '' || url.password !== '') return 'it must not hold a user or a password'
  if (!hosts.some(pattern => matches(url.hostname, pattern)))
    return `the server delivers to ${hosts.length === 0 ? 'no host' : hosts.join(', ')} only: its --webhook-host names more`
  return undefined
}

function matches(host: string, pattern: string): boolean {
  return pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern
}
