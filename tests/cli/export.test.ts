import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openProgram, type Program } from './program.ts'

let program: Program
beforeEach(async () => {
  program = openProgram()
  write('flow.yaml', FLOW)
  expect((await program.run(['run', 'flow.yaml'])).code).toBe(1)
})
afterEach(() => program.close())

const write = (name: string, text: string) => writeFileSync(join(program.directory, name), text)
const read = (name: string) => readFileSync(join(program.directory, name), 'utf8')

const FLOW = `
name: two
jobs:
  - { name: good, command: 'echo \${X}', env: { X: "1" }, tags: { kind: probe } }
  - { name: bad, command: exit 3, depends_on: [good] }
`

const statusOf = async (...where: string[]) =>
  JSON.parse((await program.run(['status', '--format', 'json', ...where])).stdout).jobs_by_status

describe('runner export', () => {
  test('writes everything that is stored, which import makes the same workflow of', async () => {
    expect((await program.run(['export', '1', '-o', 'two.ndjson'])).code).toBe(0)
    const made = await program.run(['import', 'two.ndjson', '--output-dir', 'other', '--format', 'json'])
    expect(JSON.parse(made.stdout)).toEqual({ workflow_id: 1, job_count: 2 })
    expect(await statusOf('--output-dir', 'other')).toMatchObject({ completed: 1, failed: 1 })
    const { stdout } = await program.run(['results', '1', '--output-dir', 'other', '--format', 'json'])
    expect(
      JSON.parse(stdout)
        .items.map((item: { return_code: number }) => item.return_code)
        .sort(),
    ).toEqual([0, 3])
  })

  test('can leave out how it went, and import can begin anew', async () => {
    const { stdout } = await program.run(['export', '--without-results', '--without-events'])
    const kinds = stdout
      .trimEnd()
      .split('\n')
      .map(line => JSON.parse(line).kind)
    expect(kinds).not.toContain('result')
    expect(kinds).not.toContain('event')
    const piped = await program.run(['import', '-', '--fresh', '--name', 'again'], {}, stdout)
    expect(piped.stdout).toBe('Workflow 2 imported with 2 jobs.\n')
    expect(await statusOf('2')).toMatchObject({ uninitialized: 2 })
    expect((await program.run(['run', '2'])).stdout).toContain('Workflow 2 (again)')
  })

  test.each(['yaml', 'json', 'json5', 'kdl'])('writes a workflow file in %s that runs', async format => {
    expect((await program.run(['export', '1', '-o', `again.${format}`])).code).toBe(0)
    const { code, stdout } = await program.run(['validate', `again.${format}`])
    expect([code, stdout]).toEqual([0, expect.stringContaining('Valid: two (2 jobs')])
    const ended = await program.run(['run', `again.${format}`])
    expect(ended.stdout).toContain('Workflow 2 (two), run 0: 1 of 2 jobs completed')
    const back = await program.run(['export', '2', '--as', format])
    expect(back.stdout).toBe(read(`again.${format}`))
  })

  test('says what it cannot do in one line', async () => {
    write('taken', '')
    expect(await program.run(['export', '9'])).toMatchObject({
      code: 3,
      stderr: expect.stringMatching(/^Cannot export workflow 9: .*\n$/),
    })
    expect(await program.run(['export', '-o', 'taken'])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('--force'),
    })
    expect(await program.run(['import', 'flow.yaml'])).toMatchObject({
      code: 2,
      stderr: 'Cannot import flow.yaml as it is no exported workflow: a workflow file is for runner create\n',
    })
    expect(await program.run(['import', 'none'])).toMatchObject({
      code: 2,
      stderr: 'Cannot read none: there is no such file\n',
    })
    const { stdout } = await program.run(['export'])
    const cut = await program.run(['import', '-'], {}, stdout.split('\n').slice(0, -2).join('\n'))
    expect(cut).toMatchObject({ code: 3, stderr: expect.stringContaining('cut off') })
  })
})
