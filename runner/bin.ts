#!/usr/bin/env node
// What both bins start (built as dist/runner.mjs). The program lies beside it twice, built from the same modules: in parts that are loaded
// as they are needed, which suits a command that asks one question, and whole together with V8's compiled code (scripts/code-cache.mjs),
// which spares a command that loads most of it the time to compile it. Compiled code fits one version of V8 on one kind of processor;
// anywhere else V8 refuses it, and the parts are taken.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { Script } from 'node:vm'

/** The file name of the whole program, without its ending; put in by scripts/build.mjs. */
declare const WHOLE_PROGRAM: string

/** Verbs that load the control plane or the runner itself. */
const LOADS_MUCH = new Set(['run', 'start', 'parallel', 'exec-spec', 'server'])

const whole = LOADS_MUCH.has(process.argv[2] ?? '') ? compiledProgram() : undefined
if (whole === undefined) await import('./cli.ts')
else whole()

function compiledProgram(): (() => void) | undefined {
  const path = fileURLToPath(new URL(`${WHOLE_PROGRAM}.cjs`, import.meta.url))
  let script: Script
  try {
    const cachedData = readFileSync(path.replace(/cjs$/, `v8-${process.versions.v8}-${process.arch}`))
    // The build writes nothing but ASCII, which Latin 1 reads without looking at each character.
    script = new Script(readFileSync(path, 'latin1'), { filename: path, cachedData })
  } catch {
    return undefined
  }
  if (script.cachedDataRejected) return undefined
  return () => script.runInThisContext()(createRequire(path), path)
}
