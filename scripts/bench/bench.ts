import { CASES } from './cases/all.ts'
import { openFreshDirectories } from './directories.ts'
import { describeMachine, type Machine, renderMachine } from './machine.ts'
import { type BenchOptions, parseBenchOptions, USAGE } from './options.ts'
import { takeTurns } from './rounds.ts'
import { type Row, rowsOf } from './rows.ts'
import { renderRows } from './table.ts'
import type { Case, Setting } from './types.ts'

/** What came of one case. `errors`: wrong results, and programs that failed. */
export type CaseReport = { name: string; about: string; rows: Row[]; notes: readonly string[]; errors: string[] }

export type BenchReport = { machine: Machine; quick: boolean; pairs: number; cases: CaseReport[] }

/** Runs the benchmark; the exit code is 1 only when a result was wrong, and 2 when the command line was. */
export async function main(words: readonly string[], places: { root: string; bundle: string }): Promise<number> {
  const names = CASES.map(({ name }) => name)
  const options = parseBenchOptions(words, names)
  if (typeof options === 'string') {
    process.stderr.write(`${options}\n${USAGE}\nCases: ${names.join(', ')}\n`)
    return 2
  }
  if (options.list) {
    const width = Math.max(...names.map(name => name.length)) + 2
    for (const { name, about } of CASES) process.stdout.write(`${name.padEnd(width)}${about}\n`)
    return 0
  }
  const report = await runCases(options, places)
  if (options.json) process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`)
  return report.cases.some(({ errors }) => errors.length > 0) ? 1 : 0
}

async function runCases(options: BenchOptions, places: { root: string; bundle: string }): Promise<BenchReport> {
  const { cases, json, quick, durability } = options
  const pairs = quick ? 1 : options.pairs
  const report: BenchReport = { machine: describeMachine(places.root, durability), quick, pairs, cases: [] }
  const print = (text: string): void => {
    if (!json) process.stdout.write(text)
  }
  print(renderMachine(report.machine))
  if (quick) print('Quick sizes: these show that everything runs and counts are right, and measure nothing.\n')
  const setting: Setting = { ...places, quick, durability, directories: openFreshDirectories() }
  for (const one of CASES) {
    if (cases.length > 0 && !cases.includes(one.name)) continue
    const done = await runCase(one, setting, pairs)
    report.cases.push(done)
    print(renderCase(done))
  }
  return report
}

async function runCase(one: Case, setting: Setting, pairs: number): Promise<CaseReport> {
  const { name, about } = one
  const tell = (line: string): void => void process.stderr.write(`${name}: ${line}\n`)
  try {
    tell('preparing')
    const plan = await one.prepare(setting)
    const { runs, errors } = await takeTurns(plan, {
      pairs,
      warmUp: !setting.quick,
      directoryFor: contender => setting.directories.make(`${name}-${contender.name}`),
      tell,
    })
    return { name, about, rows: rowsOf(plan.lines, runs), notes: plan.notes ?? [], errors }
  } catch (error) {
    return { name, about, rows: [], notes: [], errors: [error instanceof Error ? error.message : String(error)] }
  }
}

function renderCase({ name, about, rows, notes, errors }: CaseReport): string {
  const table = rows.length === 0 ? '' : renderRows(rows)
  const lines = [...notes, ...errors.map(error => `WRONG: ${error}`)].map(line => `${line}\n`).join('')
  return `\n${name}: ${about}\n${table}${lines}`
}
