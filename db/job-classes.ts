import { all, one, type Unit } from './unit.ts'

/** What a job needs and who may take it: jobs that agree in all three share a class, which claims look up as one. */
export type ClassKey = {
  resource_requirements_id: number
  scheduler_id: number | null
  /** Sorted, joined with commas; empty for none. */
  labels: string
}

export type ClassRow = ClassKey & { id: number }

const nameOf = (key: ClassKey): string => `${key.resource_requirements_id} ${key.scheduler_id ?? 0} ${key.labels}`

/** Gives a function from a job's key to the id of its class, making the classes that are missing. */
export function* classesFor(workflowId: number, keys: Iterable<ClassKey>): Unit<(key: ClassKey) => number> {
  const known = new Map<string, number>()
  for (const row of yield* listClasses(workflowId)) known.set(nameOf(row), row.id)
  for (const key of keys) {
    const name = nameOf(key)
    if (known.has(name)) continue
    const row = yield* one<{ id: number }>(
      'INSERT INTO job_class (workflow_id, resource_requirements_id, scheduler_id, labels) VALUES (?, ?, ?, ?) RETURNING id',
      workflowId,
      key.resource_requirements_id,
      key.scheduler_id,
      key.labels,
    )
    known.set(name, row!.id)
  }
  return key => known.get(nameOf(key))!
}

export function* listClasses(workflowId: number): Unit<ClassRow[]> {
  return yield* all<ClassRow>(
    'SELECT id, resource_requirements_id, scheduler_id, labels FROM job_class WHERE workflow_id = ?',
    workflowId,
  )
}
