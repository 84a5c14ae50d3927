/**
 * Names the proxy that the environment asks for, or undefined when the server is to be reached directly. Lower case goes first, as
 * in curl. Loopback is always direct: clusters set proxies for everybody, and a local control plane is not theirs to reach.
 */
export function proxyFor(target: URL, env: NodeJS.ProcessEnv): URL | undefined {
  const name = target.protocol === 'https:' ? 'https_proxy' : 'http_proxy'
  const text = env[name] || env[name.toUpperCase()]
  if (!text || isLoopback(target.hostname) || isExcluded(target, env.no_proxy || env.NO_PROXY || '')) return undefined
  const proxy = text.includes('://') ? text : `http://${text}`
  return URL.canParse(proxy) ? new URL(proxy) : undefined
}

export const isLoopback = (host: string): boolean =>
  host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host)

/** Entries are hosts (their subdomains included), with an optional port, or `*`. */
function isExcluded(target: URL, list: string): boolean {
  const port = target.port || (target.protocol === 'https:' ? '443' : '80')
  return list
    .toLowerCase()
    .split(/[\s,]+/)
    .filter(entry => entry !== '')
    .some(entry => {
      if (entry === '*') return true
      const [, host, onlyPort] = /^(.*?)(?::(\d+))?$/.exec(entry)!
      const bare = host!.replace(/^\*?\./, '')
      if (onlyPort !== undefined && onlyPort !== port) return false
      return target.hostname === bare || target.hostname.endsWith(`.${bare}`)
    })
}

/** The header by which a proxy learns the name and password of its address. */
export function proxyAuthorization(proxy: URL): Record<string, string> {
  if (proxy.username === '') return {}
  const pair = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}
