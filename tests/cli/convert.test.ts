import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openProgram, type Program } from './program.ts'

let program: Program
beforeEach(() => {
  program = openProgram()
})
afterEach(() => program.close())

const write = (name: string, text: string) => writeFileSync(join(program.directory, name), text)
const read = (name: string) => readFileSync(join(program.directory, name), 'utf8')

const FLOW = '# why\nname: x # the name\njobs:\n  - { name: a, command: b }\n'

describe('runner convert', () => {
  test('prints the file in the format asked for, comments included', async () => {
    write('flow.yaml', FLOW)
    expect(await program.run(['convert', 'flow.yaml', '--to', 'kdl'])).toMatchObject({
      code: 0,
      stdout: '// why\nname "x" // the name\njob "a" {\n    command "b"\n}\n',
      stderr: '',
    })
  })

  test('takes the format from the name of the output, which it replaces only when told', async () => {
    write('flow.yaml', FLOW)
    expect((await program.run(['convert', 'flow.yaml', '-o', 'flow.json5'])).code).toBe(0)
    expect(read('flow.json5')).toContain('// why\n')
    write('flow.json5', 'mine')
    const again = await program.run(['convert', 'flow.yaml', '-o', 'flow.json5'])
    expect(again).toMatchObject({
      code: 2,
      stderr: 'Cannot write flow.json5 as it is there already: --force replaces it\n',
    })
    expect(read('flow.json5')).toBe('mine')
    expect((await program.run(['convert', 'flow.yaml', '-o', 'flow.json5', '--force'])).code).toBe(0)
    expect(read('flow.json5')).not.toBe('mine')
  })

  test('writes to standard output where the output is called -', async () => {
    write('flow.yaml', FLOW)
    const { code, stdout } = await program.run(['convert', 'flow.yaml', '--to', 'kdl', '-o', '-'])
    expect({ code, stdout }).toEqual({ code: 0, stdout: expect.stringContaining('name ') })
    expect(existsSync(join(program.directory, '-'))).toBe(false)
  })

  test('says what is lost', async () => {
    write('flow.yaml', FLOW)
    const { stdout, stderr } = await program.run(['convert', 'flow.yaml', '--to', 'json'])
    expect(JSON.parse(stdout)).toEqual({ name: 'x', jobs: [{ name: 'a', command: 'b' }] })
    expect(stderr).toBe('Lost: 2 comments, as JSON has none\n')
  })

  test('refuses a file with errors, with all of them, and writes nothing', async () => {
    write('flow.yaml', 'name: 1\njobs: [{ name: a, comand: b }]\n')
    const { code, stderr } = await program.run(['convert', 'flow.yaml', '-o', 'flow.kdl'])
    expect(code).toBe(2)
    expect(stderr).toMatch(/^flow\.yaml:1:7: error: .*\nflow\.yaml:2:19: error: .*\n$/)
    expect(existsSync(join(program.directory, 'flow.kdl'))).toBe(false)
  })

  test.each([
    [['convert', 'flow.yaml'], 2, 'Cannot convert without a format'],
    [['convert', 'flow.yaml', '-o', 'flow'], 2, 'Cannot convert without a format'],
    [['convert', 'flow.yaml', '--to', 'toml'], 2, 'Cannot read --to'],
    [['convert', 'none.yaml', '--to', 'kdl'], 2, 'Cannot read the workflow file none.yaml: there is no such file'],
    [
      ['convert', 'flow.yaml', '-o', 'no/such/folder.kdl'],
      3,
      'Cannot write no/such/folder.kdl: its directory does not exist',
    ],
  ])('%j ends with %i', async (words, exitCode, message) => {
    write('flow.yaml', FLOW)
    const { code, stderr } = await program.run(words)
    expect(code).toBe(exitCode)
    expect(stderr).toContain(message)
  })
})
