import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Running, start, succeeded } from './process.ts'
import type { Setting } from './types.ts'

/** The command line as it is shipped. */
export const runnerPath = ({ bundle }: Setting): string => join(bundle, 'dist/runner.cjs')

export const hasNativeLauncher = ({ bundle }: Setting): boolean => existsSync(join(bundle, 'dist/headrace-launcher'))

/** Where `run` keeps its database unless told otherwise. */
export const databaseIn = (directory: string): string => join(directory, 'headrace_output/headrace.db')

/** Starts `runner run TARGET …` in a directory. */
export function startRun(
  setting: Setting,
  directory: string,
  target: string,
  options: { words?: readonly string[]; env?: NodeJS.ProcessEnv } = {},
): Running {
  const words = [runnerPath(setting), 'run', target, '-j', '2', '--durability', setting.durability]
  return start(process.execPath, [...words, ...(options.words ?? [])], { cwd: directory, env: options.env })
}

/** Runs a workflow file with two slots, as a user would; gives the seconds from command to exit. */
export async function timeRun(
  setting: Setting,
  directory: string,
  target: string,
  env?: NodeJS.ProcessEnv,
): Promise<number> {
  const ended = await startRun(setting, directory, target, { env }).ended
  return succeeded('runner run', ended).wallSeconds
}
