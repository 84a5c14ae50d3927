import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { loadSpec } from '../../../api/spec/load.ts'
import { WrongResult } from '../types.ts'

/** A job as anybody runs it: a command for bash, the files it reads and those it makes. */
export type ShellJob = { command: string; inputs: readonly string[]; outputs: readonly string[] }

export type Pipeline = { text: string; chains: number; jobs: readonly ShellJob[] }

const FIXTURE = 'tests/fixtures/spec/specs/three-stage-pipeline.yaml'
const FIXTURE_RANGE = '"0:999"'

/** The three-stage pipeline of the fixtures with as many chains as asked for, up to 10,000; three jobs each and one over all. */
export async function loadPipeline(root: string, chains: number): Promise<Pipeline> {
  const text = readFileSync(join(root, FIXTURE), 'utf8').replaceAll(FIXTURE_RANGE, `"0:${chains - 1}"`)
  const nothing = () => undefined
  const { workflow } = await loadSpec(text, { fileName: 'pipeline.yaml', readText: nothing, mtime: nothing })
  if (workflow?.jobs.length !== chains * 3 + 1)
    throw new WrongResult(`${FIXTURE} does not expand to three jobs a chain`)
  const pathOf = (index: number): string => workflow.files[index]!.path
  const jobs = workflow.jobs.map(({ command, inputFiles, outputFiles }) => ({
    command,
    inputs: inputFiles.map(pathOf),
    outputs: outputFiles.map(pathOf),
  }))
  return { text, chains, jobs }
}

/** Throws unless the run in this directory made every file, and the last job saw them all. */
export function checkPipelineOutputs(directory: string, { chains, jobs }: Pipeline): void {
  for (const path of jobs.flatMap(job => job.outputs)) readOutput(directory, path)
  const report = readOutput(directory, 'output/final_report.txt').trim()
  if (report !== String(chains)) throw new WrongResult(`The pipeline's report says ${report} and must say ${chains}`)
}

function readOutput(directory: string, path: string): string {
  try {
    return readFileSync(join(directory, path), 'utf8')
  } catch {
    throw new WrongResult(`The pipeline did not make ${path}`)
  }
}
