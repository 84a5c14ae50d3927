import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { expect, it } from 'vitest'
import { bundleWorker } from '../../conformance/targets.ts'

/** What the free plan of Workers takes, compressed (platform.md 5.2). */
const MOST_BYTES = 3 * 2 ** 20

it('api/worker.ts is bundled by wrangler without a module of Node, and fits the free plan', () => {
  const folder = mkdtempSync(join(tmpdir(), 'headrace-bundle-'))
  try {
    bundleWorker(folder)
    const uploaded = readdirSync(folder).filter(file => /\.(js|wasm)$/.test(file))
    expect(uploaded).toContain('worker.js')
    const bytes = uploaded.map(file => gzipSync(readFileSync(join(folder, file))).length)
    expect(bytes.reduce((sum, n) => sum + n)).toBeLessThan(MOST_BYTES)
    expect(readFileSync(join(folder, 'worker.js'), 'utf8')).not.toMatch(/from\s*["']node:|require\(["']node:/)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}, 60_000)
