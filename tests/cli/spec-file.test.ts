import { mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readSpecFile } from '../../runner/spec-file.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-spec-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function write(name: string, text: string): string {
  mkdirSync(join(directory, name, '..'), { recursive: true })
  writeFileSync(join(directory, name), text)
  return name
}

const FLOW = 'name: w\njobs: [{ name: a, command: x }]\n'

describe('readSpecFile()', () => {
  test('gives the expansion and one hash for one content, whatever its layout', async () => {
    const plain = await readSpecFile(write('a.yaml', FLOW), directory)
    const commented = await readSpecFile(write('b.yaml', `# a comment\n\n${FLOW}`), directory)
    const other = await readSpecFile(write('c.yaml', FLOW.replace('command: x', 'command: y')), directory)
    expect(plain.workflow?.jobs[0]?.name).toBe('a')
    expect(plain.path).toBe(join(directory, 'a.yaml'))
    expect(commented.hash).toBe(plain.hash)
    expect(other.hash).not.toBe(plain.hash)
  })

  test('gives errors as lines with the short name of the file, and no workflow', async () => {
    const spec = await readSpecFile(write('bad.yaml', FLOW.replace('command', 'comand')), directory)
    expect(spec.workflow).toBeUndefined()
    expect(spec.hash).toBeUndefined()
    expect(spec.errors[0]).toMatch(/^bad\.yaml:2:\d+: error: /)
  })

  test('gives the times of inputs that are there, in directories that are and are not', async () => {
    write('here/data.txt', 'x')
    utimesSync(join(directory, 'here/data.txt'), 1_000, 2_000)
    const paths = ['here/data.txt', 'here/missing.txt', 'nowhere/data.txt', join(directory, 'here/data.txt'), 'a.yaml']
    const files = paths.map((path, index) => `{ name: f${index}, path: "${path}" }`)
    const job = `{ name: a, command: x, input_files: [${paths.map((_, index) => `f${index}`)}] }`
    const spec = await readSpecFile(write('a.yaml', `name: w\nfiles: [${files}]\njobs: [${job}]\n`), directory)
    expect(spec.workflow?.files.map(file => file.stMtime)).toEqual([
      2_000,
      undefined,
      undefined,
      2_000,
      expect.any(Number),
    ])
  })

  test.each(['', 'below/'])('finds value files in the working directory, then beside the spec: %s', async place => {
    write(`${place}seeds.txt`, '3\n5\n')
    const text = 'name: w\njobs: [{ name: "a{seed}", command: "x {seed}", parameters: { seed: "@seeds.txt" } }]\n'
    const spec = await readSpecFile(write('below/flow.yaml', text), directory)
    expect(spec.errors).toEqual([])
    expect(spec.workflow?.jobs.map(job => job.name)).toEqual(['a3', 'a5'])
  })

  test('lets a job pass that fits no scheduler only when told so', async () => {
    const text = `
name: w
resource_requirements: [{ name: r, num_cpus: 1, memory: 1g, runtime: PT10H }]
slurm_schedulers: [{ name: s, account: a, walltime: "01:00:00" }]
jobs: [{ name: a, command: x, resource_requirements: r, scheduler: s }]
`
    const path = write('large.yaml', text)
    const strict = await readSpecFile(path, directory)
    expect(strict.errors).toHaveLength(1)
    expect(strict.workflow).toBeUndefined()
    const lenient = await readSpecFile(path, directory, true)
    expect(lenient).toMatchObject({ errors: [], warnings: [expect.stringContaining('large.yaml')] })
    expect(lenient.workflow).toBeDefined()
  })

  test('says why a file cannot be read', async () => {
    await expect(readSpecFile('none.yaml', directory)).rejects.toThrow(
      'Cannot read the workflow file none.yaml: there is no such file',
    )
    await expect(readSpecFile('.', directory)).rejects.toThrow('it is a directory')
  })
})
