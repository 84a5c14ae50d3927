import { readdirSync, readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { type NodeState, stillRuns } from '../node-state.ts'

/**
 * The workflows that runners of this directory work on, or may: a runner of another host cannot be looked at, so what it left counts
 * as live until it has cleared up itself.
 */
export function liveWorkflows(outputDir: string): { ids: Set<number>; unreadable: boolean } {
  const ids = new Set<number>()
  let unreadable = false
  for (const host of hostsOf(join(outputDir, 'runner'))) {
    const state = readState(join(outputDir, 'runner', host, 'state.json'))
    if (state === 'none') continue
    if (state === 'unreadable') unreadable = true
    else if (host !== hostname() || stillRuns(state)) for (const { workflowId } of state.nodes) ids.add(workflowId)
  }
  return { ids, unreadable }
}

function hostsOf(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function readState(path: string): NodeState | 'none' | 'unreadable' {
  try {
    const state = JSON.parse(readFileSync(path, 'utf8')) as NodeState
    return Array.isArray(state.nodes) ? state : 'unreadable'
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'ENOENT' ? 'none' : 'unreadable'
  }
}
