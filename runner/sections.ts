import type { Section } from './command-line/help.ts'
import type { Entry } from './command-line/verb.ts'

/** How help groups the commands, what people need first at the top. What no group names is a noun of the service. */
const GROUPS: readonly (readonly [title: string, names: readonly string[]])[] = [
  ['Run work', ['run', 'start', 'exec', 'exec-spec', 'parallel', 'node', 'server', 'cancel']],
  ['On clusters', ['submit', 'allocate', 'pipe', 'remote', 'relay', 'slurm', 'hpc']],
  ['Workflow files', ['create', 'validate', 'convert', 'export', 'import']],
  ['See how it goes', ['list', 'status', 'top', 'wait', 'watch', 'results', 'logs', 'explain', 'events']],
  ['Repair', ['recover', 'reconcile', 'clean', 'doctor', 'ping']],
  ['Set up', ['config', 'completions', 'access-groups', 'tokens', 'admin']],
]

const REST = 'All that the service holds (each with commands of its own)'

/** The commands of a table in groups; each stands in one. */
export function sectionsOf(table: Readonly<Record<string, Entry>>): Section[] {
  const named = new Set(GROUPS.flatMap(([, names]) => names))
  const rest = Object.keys(table).filter(name => !named.has(name))
  return [...GROUPS, [REST, rest] as const].map(([title, names]) => ({
    title,
    commands: names.flatMap(name => (Object.hasOwn(table, name) ? [[name, table[name]!.about] as const] : [])),
  }))
}
