import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openProgram, type Program } from '../cli/program.ts'

let program: Program
beforeEach(() => {
  program = openProgram()
})
afterEach(() => program.close())

test('a job whose cwd does not exist here is handed back, explain says so, and it runs once the directory is there', async () => {
  const elsewhere = join(program.directory, 'elsewhere')
  const jobs = [
    { name: 'here', command: 'true' },
    { name: 'away', command: 'pwd >answer', cwd: elsewhere },
  ]
  writeFileSync(join(program.directory, 'flow.json'), JSON.stringify({ name: 'places', jobs }))

  const first = await program.run(['run', 'flow.json'])
  expect(first.code).toBe(1)
  expect(first.stderr).toContain(`(away) is handed back: its working directory does not exist here: ${elsewhere}`)
  const status = JSON.parse((await program.run(['status', '1', '--format', 'json'])).stdout)
  expect(status.jobs_by_status).toMatchObject({ completed: 1, ready: 1 })

  mkdirSync(elsewhere)
  const second = await program.run(['run', 'flow.json'])
  expect(second.code).toBe(0)
})
