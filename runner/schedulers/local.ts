import { appendFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkRequest } from './check-request.ts'
import { insideLocal } from './local/inside.ts'
import { forgetOld, startAllocation } from './local/start.ts'
import {
  listIds,
  liveGroups,
  readAllocation,
  readElements,
  stateRoot,
  supervisorLives,
  writeState,
} from './local/state.ts'
import type { SchedulerRuntime } from './runtime.ts'
import { renderShell } from './script.ts'
import { submitFiles } from './script-files.ts'
import type { AllocationRequest, ControlOutcome, ListedElement, Listing, Scheduler, ScriptFile } from './types.ts'
import { goneOf } from './verdict.ts'

/** Processes of one machine, not a cluster. */
const ARRAY_MOST = 1000

/**
 * This machine without a batch scheduler: elements are detached processes under a small supervisor each submission has, and everything
 * is kept in files. It keeps to width, throttle, walltime and cancelling; cores and memory are not counted.
 */
export function createLocal({ clock, env }: SchedulerRuntime): Scheduler {
  const root = stateRoot(env)

  function list(ids: readonly string[], names: readonly string[]): Listing {
    const startedAtMs = clock()
    try {
      const elements: ListedElement[] = []
      for (const id of names.length > 0 ? listIds(root) : ids) {
        const allocation = readAllocation(join(root, id))
        if (allocation === undefined || !(ids.includes(id) || names.includes(allocation.name))) continue
        elements.push(...readElements(join(root, id), id, allocation, startedAtMs))
      }
      return { kind: 'listed', startedAtMs, elements, gone: goneOf(ids, elements) }
    } catch (error) {
      return { kind: 'unknown', startedAtMs, message: `${root} cannot be read: ${reasonOf(error)}` }
    }
  }

  /** A word for the supervisor; when there is none, what it left is ended here. Nothing happens to what is not there. */
  function tell(id: string, lines: readonly string[]): void {
    const directory = join(root, id)
    if (readAllocation(directory) === undefined) return
    appendFileSync(join(directory, 'cancel'), lines.map(line => `${line}\n`).join(''))
    if (!supervisorLives(directory, clock()) && lines.includes('all'))
      for (const group of liveGroups(directory)) endGroup(group)
  }

  return {
    name: 'local',
    renderScript: renderLocal,
    inside: insideLocal,
    limits: async () => ({ arrayMost: ARRAY_MOST }),
    list: async ({ ids, names = [] }) => list(ids, names),

    async submit(request) {
      return submitFiles(request, renderLocal(request), async script => {
        try {
          forgetOld(root, clock())
          return { kind: 'submitted', id: startAllocation(root, script, request, env), acknowledgedAtMs: clock() }
        } catch (error) {
          return { kind: 'refused', message: reasonOf(error) }
        }
      })
    },

    async submitScript() {
      return { kind: 'refused', message: 'a script has no options that this machine could read' }
    },

    cancel: async (id, which) =>
      attempt(() => tell(id, which.kind === 'elements' ? which.indices.map(String) : [which.kind])),

    setThrottle: async (id, most) =>
      attempt(() => {
        if (readAllocation(join(root, id)) !== undefined) writeState(join(root, id), 'throttle', String(most))
      }),

    async probe(request) {
      renderLocal(request)
      return { kind: 'accepted', message: 'this machine takes it at once' }
    },

    async timeLeft({ walltimeSeconds, startedAtMs }) {
      if (walltimeSeconds === undefined || startedAtMs === undefined) return { kind: 'known', seconds: undefined }
      return { kind: 'known', seconds: Math.floor(walltimeSeconds - (clock() - startedAtMs) / 1000) }
    },
  }
}

function renderLocal(request: AllocationRequest): readonly [ScriptFile, ...ScriptFile[]] {
  checkRequest('local', request, ['queue', 'account', 'qos', 'reservation', 'nodes'])
  return renderShell(request, { scheduler: 'local', directives: [], worker: '"$HEADRACE_LOCAL_INDEX"' })
}

function endGroup(group: number): void {
  try {
    process.kill(-group, 'SIGTERM')
  } catch {
    // It has just ended.
  }
}

/** The files of the state are all that can be in the way. */
function attempt(action: () => void): ControlOutcome {
  try {
    action()
    return { kind: 'done' }
  } catch (error) {
    return { kind: 'unknown', message: reasonOf(error) }
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
