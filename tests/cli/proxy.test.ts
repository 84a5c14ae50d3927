import { describe, expect, test } from 'vitest'
import { proxyFor } from '../../runner/client/proxy.ts'

const PROXY = 'http://proxy.example.org:3128/'
const proxied = (target: string, env: NodeJS.ProcessEnv) => proxyFor(new URL(target), env)?.href

describe('proxyFor()', () => {
  test('reads the variable of the scheme, lower case first', () => {
    expect(proxied('http://a.org', { http_proxy: PROXY, HTTP_PROXY: 'http://other' })).toBe(PROXY)
    expect(proxied('https://a.org', { HTTPS_PROXY: 'proxy.example.org:3128', HTTP_PROXY: 'http://other' })).toBe(PROXY)
    expect(proxied('https://a.org', { HTTP_PROXY: PROXY })).toBeUndefined()
  })

  test.each(['http://127.0.0.1:80', 'http://localhost', 'http://[::1]:9', 'http://127.1.2.3'])(
    'reaches %s directly',
    target => {
      expect(proxied(target, { HTTP_PROXY: PROXY })).toBeUndefined()
    },
  )

  test.each([
    ['jobs.a.org', 'a.org', false],
    ['jobs.a.org', '.a.org', false],
    ['jobs.a.org', '*.a.org', false],
    ['jobs.a.org', 'x, jobs.a.org:80', false],
    ['jobs.a.org', '*', false],
    ['jobs.a.org', 'jobs.a.org:81', true],
    ['jobsa.org', 'a.org', true],
    ['jobs.a.org', '', true],
  ])('for %s with NO_PROXY "%s": proxy used %s', (host, list, used) => {
    expect(proxied(`http://${host}`, { HTTP_PROXY: PROXY, NO_PROXY: list })).toBe(used ? PROXY : undefined)
  })
})
