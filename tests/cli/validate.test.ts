import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openProgram, type Program } from './program.ts'

let program: Program
beforeEach(() => {
  program = openProgram()
})
afterEach(() => program.close())

const write = (name: string, text: string) => writeFileSync(join(program.directory, name), text)

const TWO_PROBLEMS =
  'name: x\nuser: nobody-else\njobs:\n  - { name: a, comand: b }\n  - { name: c, command: d, depends_on: [z] }\n'

describe('runner validate', () => {
  test('shows all problems with place, code and hint, and ends with 1', async () => {
    write('flow.yaml', TWO_PROBLEMS)
    const { code, stdout } = await program.run(['validate', 'flow.yaml'])
    expect(code).toBe(1)
    expect(stdout.split('\n')).toEqual([
      'flow.yaml:2:1: warning: the workflow belongs to whoever submits it, not to "user" (user) [ignored_key]',
      'flow.yaml:4:16: error: a job has no key "comand" (jobs[0].comand); did you mean "command"? [unknown_key]',
      expect.stringMatching(/^flow\.yaml:5:41: error: .*"z".* \[unknown_job\]$/),
      'Not valid: 2 errors',
      '',
    ])
  })

  test('gives the result of a dry run as JSON, the same as create --dry-run', async () => {
    write('flow.yaml', TWO_PROBLEMS)
    const { code, stdout } = await program.run(['validate', 'flow.yaml', '--format', 'json'])
    expect(code).toBe(1)
    const document = JSON.parse(stdout)
    expect(document).toMatchObject({ valid: false, summary: { workflow_name: 'x', job_count_before_expansion: 2 } })
    expect(document.diagnostics[1]).toEqual({
      severity: 'error',
      code: 'unknown_key',
      message: 'a job has no key "comand"',
      file: 'flow.yaml',
      line: 4,
      column: 16,
      path: 'jobs[0].comand',
      hint: 'did you mean "command"?',
    })
    const dryRun = await program.run(['create', 'flow.yaml', '--dry-run', '--format', 'json'])
    expect(JSON.parse(dryRun.stdout)).toEqual(document)
  })

  test('ends with 0 for a valid file, with 1 for its warnings on wish', async () => {
    write('flow.yaml', 'name: x\nuser: nobody-else\njobs: [{ name: a, command: b }]\n')
    const { code, stdout } = await program.run(['validate', 'flow.yaml'])
    expect(code).toBe(0)
    expect(stdout).toContain('\nValid: x (1 job, 0 files')
    expect((await program.run(['validate', 'flow.yaml', '--strict'])).code).toBe(1)
  })

  test('reads standard input, whatever its format', async () => {
    const yaml = await program.run(['validate', '-'], {}, 'name: x\njobs: [{ name: a, command: b }]\n')
    expect(yaml).toMatchObject({ code: 0, stdout: expect.stringContaining('Valid: x') })
    const kdl = await program.run(['validate', '-'], {}, 'name x\njob a {\n  comand b\n}\n')
    expect(kdl).toMatchObject({ code: 1, stdout: expect.stringContaining('<stdin>:3:3: error: ') })
    expect(await program.run(['validate', '-'], {}, ' \n')).toMatchObject({
      code: 2,
      stderr: 'Cannot read a workflow file from standard input as nothing comes\n',
    })
  })
})

describe('runner run -', () => {
  test('runs a workflow file from standard input, a new workflow each time', async () => {
    const flow = 'name: piped\njobs: [{ name: a, command: "true" }]\n'
    expect((await program.run(['run', '-'], {}, flow)).stdout).toContain('Workflow 1 (piped)')
    expect((await program.run(['run', '-'], {}, flow)).stdout).toContain('Workflow 2 (piped)')
  })
})
