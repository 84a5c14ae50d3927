import type { TestProject } from 'vitest/node'
import { startTarget, TARGETS, type Target, type TargetName } from './targets.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    target: Target
  }
}

const isTarget = (name: string | undefined): name is TargetName => TARGETS.some(known => known === name)

/** Starts the control plane that this run is about, once for all its files. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const name = process.env.HEADRACE_TARGET
  if (!isTarget(name)) throw new Error(`Cannot test ${name}: name one of ${TARGETS.join(', ')}`)
  const { stop, ...target } = await startTarget(name)
  project.provide('target', target)
  return stop
}
