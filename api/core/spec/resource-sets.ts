import { parseDuration } from '../duration.ts'
import { parseMemory } from '../memory.ts'
import type { SpecContext } from './env.ts'
import type { RESOURCE_REQUIREMENTS } from './keys.ts'
import { readNamed } from './named.ts'
import type { NameIndex } from './names.ts'
import { placeOf, type SpecObject } from './schema.ts'
import type { ExpandedResourceRequirements } from './types.ts'

const DEFAULT_RUNTIME = 'PT1H'

/** Reads the sets; `default` exists in every workflow and cannot be defined. */
export function readResourceSets(objects: readonly SpecObject<typeof RESOURCE_REQUIREMENTS>[], context: SpecContext) {
  for (const object of objects) {
    if (object.get.name?.value !== 'default') continue
    context.report.error(
      'bad_value',
      placeOf(object, 'name'),
      'the set "default" exists in every workflow',
      'choose another name',
    )
  }
  return readNamed(objects, 'set', toResourceSet, context) satisfies {
    items: ExpandedResourceRequirements[]
    names: NameIndex
  }
}

function toResourceSet({ get }: SpecObject<typeof RESOURCE_REQUIREMENTS>, name: string): ExpandedResourceRequirements {
  const memory = get.memory?.value ?? ''
  const runtime = get.runtime?.value ?? DEFAULT_RUNTIME
  return {
    name,
    numCpus: get.num_cpus?.value ?? 1,
    numGpus: get.num_gpus?.value ?? 0,
    numNodes: get.num_nodes?.value ?? 1,
    memory,
    memoryBytes: parseMemory(memory) ?? 0,
    runtime,
    runtimeSeconds: parseDuration(runtime) ?? 0,
  }
}
