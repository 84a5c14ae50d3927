import { copyFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openProgram, type Program } from './program.ts'

let program: Program
beforeEach(() => {
  program = openProgram()
})
afterEach(() => program.close())

describe('runner run', () => {
  test.each([
    ['robust.yaml', 'robust_data/sum.txt', /^650\n$/],
    ['letters.kdl', 'letters_data/most.txt', /^\d+ e\n$/],
  ])('runs examples/%s as it is', async (name, result, content) => {
    const source = fileURLToPath(new URL(`../../examples/${name}`, import.meta.url))
    copyFileSync(source, join(program.directory, name))
    expect(await program.run(['run', name])).toMatchObject({ code: 0 })
    expect(readFileSync(join(program.directory, result), 'utf8')).toMatch(content)
  })
})
