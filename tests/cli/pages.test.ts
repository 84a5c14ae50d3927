import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { VERBS } from '../../runner/verbs.ts'
import { collectCommands } from '../../scripts/cli-docs/collect.ts'
import { makePages } from '../../scripts/cli-docs/pages.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

describe('docs/cli.md and docs/man/runner.1', () => {
  test('are as the commands make them: `node scripts/cli-docs/main.mjs` writes them', async () => {
    for (const { path, text } of await makePages(root)) expect(readFileSync(path, 'utf8'), path).toBe(text)
  })

  test('tell every command', async () => {
    const [markdown, man] = (await makePages(root)).map(page => page.text)
    for (const { words } of await collectCommands(VERBS)) {
      expect(markdown).toMatch(new RegExp(`^###+ runner ${words}$`, 'm'))
      expect(man).toContain(`runner ${words.replaceAll('-', '\\-')}`)
    }
  })
})

describe('collectCommands()', () => {
  test('names a verb once and its second names as such', async () => {
    const listed = await collectCommands(VERBS)
    expect(listed).toContainEqual({ kind: 'alias', words: 'workflows status', of: 'status' })
    const names = listed.map(({ words }) => words)
    expect(new Set(names).size).toBe(names.length)
  })
})
