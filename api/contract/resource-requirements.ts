import * as v from 'valibot'
import { integer, optional, text } from './fields.ts'

const atLeast = (name: string, least: number, rule: string) =>
  v.pipe(
    integer,
    v.minValue(least, issue => `is refused as ${name} must be ${rule}: current value is ${issue.input}`),
  )

const entries = {
  name: text,
  num_cpus: optional(atLeast('num_cpus', 1, '> 0')),
  num_gpus: optional(atLeast('num_gpus', 0, '>= 0')),
  num_nodes: optional(atLeast('num_nodes', 1, '> 0')),
  memory: optional(text),
  runtime: optional(text),
}

export const NewResourceRequirements = v.object({ workflow_id: integer, ...entries })
/** PUT replaces every field: one that is left out falls back to its default, but the name stays. */
export const ResourceRequirementsChange = v.object({ ...entries, name: optional(text) })
export type ResourceRequirementsChange = v.InferOutput<typeof ResourceRequirementsChange>
