import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { newJobNames } from '../../runner/ad-hoc/job-names.ts'
import { openProgram, type Program } from './program.ts'

let program: Program
beforeEach(() => {
  program = openProgram()
})
afterEach(() => program.close())

const write = (name: string, text: string) => writeFileSync(join(program.directory, name), text)
const addJobs = (...words: string[]) => program.run(['jobs', 'create-from-file', ...words])

describe('runner jobs create-from-file', () => {
  test('adds a job per command, which a run then takes', async () => {
    write('flow.yaml', 'name: w\njobs: [{ name: job2, command: "true" }]\n')
    await program.run(['create', 'flow.yaml'])
    write('commands', '# two\necho one\n\n  echo two # said\n')
    expect(await addJobs('1', 'commands', '--memory', '64m')).toMatchObject({
      code: 0,
      stdout: '2 jobs added to workflow 1: job2_1 to job3.\n',
    })
    const { stdout } = await program.run(['jobs', 'list', '1', '--format', 'json'])
    const { items } = JSON.parse(stdout)
    expect(items.map((job: { name: string; command: string }) => [job.name, job.command])).toEqual([
      ['job2', 'true'],
      ['job2_1', 'echo one'],
      ['job3', 'echo two # said'],
    ])
    expect(items[1].resource_requirements_id).toBe(items[2].resource_requirements_id)
    expect((await program.run(['run', '1'])).stdout).toContain('all 3 jobs completed')
  })

  test('says what it cannot do', async () => {
    write('empty', '# nothing\n')
    expect(await addJobs('1', 'empty')).toMatchObject({ code: 2, stderr: 'Cannot add jobs as empty has no commands\n' })
    expect(await addJobs('1', 'none')).toMatchObject({ code: 2, stderr: 'Cannot read none: there is no such file\n' })
    write('commands', 'true\n')
    expect((await addJobs('1', 'commands')).code).toBe(3)
  })
})

describe('newJobNames()', () => {
  test('counts on, and steps aside where a name is taken', () => {
    expect(newJobNames(3, 2, new Set(['job3', 'job3_1', 'x']))).toEqual(['job2', 'job3_2', 'job4'])
    expect(newJobNames(2, 1, new Set(['job1']))).toEqual(['job1_1', 'job2'])
  })
})
