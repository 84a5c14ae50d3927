#!/usr/bin/env node
// What both bins start (built as dist/runner.cjs). The program lies beside it twice, built from the same modules: in parts that are loaded
// as they are needed, which suits a command that asks one question, and whole, which suits one that needs most of it. Beside both lies
// what V8 made of them when they were built (scripts/code-cache.mjs), which spares the time to compile them. Compiled code fits
// one version of V8 on one kind of processor; anywhere else V8 refuses it, and the parts are compiled as they come.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { Script } from 'node:vm'

/** The file name of the whole program without its ending, and of the part to begin with; put in by scripts/build.mjs. */
declare const WHOLE_PROGRAM: string
declare const FIRST_PART: string

type Module = { exports: object }
type Part = (exports: object, require: (name: string) => unknown, module: Module, moduleUrl: string) => void
type Parts = Record<string, Part>

/** Verbs that load the control plane or the runner itself. */
const LOADS_MUCH = new Set(['run', 'start', 'parallel', 'exec-spec', 'server'])

const moduleUrl = pathToFileURL(__filename).href
const loaded = new Map<string, Module>()
const parts: Parts = {}

const [verb = '', ...words] = process.argv.slice(2)
const asksForHelp = words.includes('--help') || words.includes('-h')
const whole = LOADS_MUCH.has(verb) && !asksForHelp ? compiledProgram() : undefined
if (whole === undefined) load(FIRST_PART)
else whole()

/** The whole program, if its compiled code is of use here. */
function compiledProgram(): (() => void) | undefined {
  const name = `${WHOLE_PROGRAM}.cjs`
  const compiled = compiledCode(name)
  if (compiled === undefined) return undefined
  const script = scriptOf(name, compiled)
  if (script.cachedDataRejected) return undefined
  return () => script.runInThisContext()(require, moduleUrl)
}

/** Loads a part when it is first asked for, as Node loads modules; anything else is Node's own or a package. */
function load(name: string): unknown {
  const known = loaded.get(name)
  if (known !== undefined) return known.exports
  const module: Module = { exports: {} }
  loaded.set(name, module)
  if (parts[name] === undefined) Object.assign(parts, scriptOf(name, compiledCode(name)).runInThisContext() as Parts)
  const requireFrom = (wanted: string) => (wanted.startsWith('./') ? load(wanted.slice(2)) : require(wanted))
  parts[name]!(module.exports, requireFrom, module, moduleUrl)
  return module.exports
}

function scriptOf(name: string, cachedData: Buffer | undefined): Script {
  const path = join(__dirname, name)
  // The build writes nothing but ASCII, which Latin 1 reads without looking at each character.
  return new Script(readFileSync(path, 'latin1'), { filename: path, cachedData })
}

/** What V8 made of a file when the package was built. */
function compiledCode(name: string): Buffer | undefined {
  try {
    return readFileSync(join(__dirname, `${name}.v8-${process.versions.v8}-${process.arch}`))
  } catch {
    return undefined
  }
}
