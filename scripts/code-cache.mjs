// node code-cache.mjs PROGRAM CODE: runs a small workflow with the whole program and writes what V8 has compiled by then to CODE. Functions
// that the run did not call are compiled when they are first called, as ever.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import v8 from 'node:v8'
import { Script } from 'node:vm'

const [program, code] = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'headrace-build-'))
const script = new Script(readFileSync(program, 'latin1'), { filename: program })
const nodeRequire = createRequire(program)

// Compiled code is only taken back under the same flags, and when it is loaded the program has not set any yet.
const untuned = { ...v8, setFlagsFromString() {} }

process.on('exit', () => {
  rmSync(folder, { recursive: true, force: true })
  if (process.exitCode === 0) writeFileSync(code, script.createCachedData())
})
process.argv = [process.execPath, program, 'run', workflow(), '--output-dir', join(folder, 'out')]
script.runInThisContext()(name => (name === 'node:v8' ? untuned : nodeRequire(name)), pathToFileURL(program).href)

/** A file whose jobs pass through most of what a run does: parameters, files, data and dependencies. */
function workflow() {
  const path = join(folder, 'workflow.yaml')
  writeFileSync(
    path,
    `
name: warm_up
files:
  - { name: "part_{i}", path: "${folder}/part_{i}", parameters: { i: "1:100" } }
resource_requirements:
  - { name: small, num_cpus: 1, memory: 1m, runtime: PT1M }
jobs:
  - { name: "make_{i}", command: "echo {i} > ${folder}/part_{i}", output_files: ["part_{i}"], resource_requirements: small, parameters: { i: "1:100" } }
  - { name: join, command: "cat ${folder}/part_*", input_file_regexes: ["^part_.*"], resource_requirements: small }
`,
  )
  return path
}
