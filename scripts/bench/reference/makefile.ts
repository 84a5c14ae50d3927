import type { ShellJob } from '../workloads/pipeline.ts'

/** The same jobs as rules for make, with the same shell: dependencies without records, the floor of all workflow systems. */
export function makefileOf(jobs: readonly ShellJob[]): string {
  const rules = jobs.map(
    ({ command, inputs, outputs }) =>
      `${outputs.join(' ')}: ${inputs.join(' ')}\n\t${command.replaceAll('$', '$$$$')}\n`,
  )
  const all = jobs.flatMap(job => job.outputs).join(' ')
  return `SHELL := /bin/bash\n.PHONY: all\nall: ${all}\n${rules.join('')}`
}
