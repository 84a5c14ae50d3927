/** Workflow files that the cases make up. Jobs do nothing, so that nothing but our own work is measured. */

const NEEDS = `resource_requirements:
  - { name: small, num_cpus: 1, memory: 1m, runtime: PT1M }
`

/** Independent jobs. */
export const noopSpec = (jobs: number): string => `name: noop
jobs:
  - name: noop_{i:06d}
    command: "true"
    parameters: { i: "0:${jobs - 1}" }
`

/** One chain in which each job waits for the one before. */
export function chainSpec(length: number): string {
  const jobs = Array.from({ length }, (_, k) => {
    const waits = k === 0 ? '' : `, depends_on: [step_${k - 1}]`
    return `  - { name: step_${k}, command: "true"${waits} }\n`
  })
  return `name: chain\njobs:\n${jobs.join('')}`
}

/** Jobs that one of them makes ready at once: more than one of two runners with two slots each can take. */
export const WOKEN = 4

/** Rounds of a job that goes on for `seconds` while others have nothing to do, and those that wait for it. */
export function wakeSpec(rounds: number, seconds: number): string {
  const names = (round: number): string[] => Array.from({ length: WOKEN }, (_, k) => `woken_${round}_${k}`)
  const jobs = Array.from({ length: rounds }, (_, round) => {
    const waits = round === 0 ? '' : `, depends_on: [${names(round - 1).join(', ')}]`
    const producer = `  - { name: producer_${round}, command: "sleep ${seconds}"${waits} }\n`
    // As long as it takes that no runner does the others' part.
    const woken = names(round).map(
      name => `  - { name: ${name}, command: "sleep 0.5", depends_on: [producer_${round}] }\n`,
    )
    return producer + woken.join('')
  })
  return `name: wake_ups\njobs:\n${jobs.join('')}`
}

/**
 * Threes of jobs with three edges each (b after a, c after a and b) and one job after the first c: as many edges as jobs, 100,000 of each
 * for 33,333 threes, in a file of a few lines.
 */
export const triadSpec = (triads: number): string => `name: triads
jobs:
  - name: a_{i:05d}
    command: "true"
    parameters: { i: "0:${triads - 1}" }
  - name: b_{i:05d}
    command: "true"
    depends_on: ["a_{i:05d}"]
    parameters: { i: "0:${triads - 1}" }
  - name: c_{i:05d}
    command: "true"
    depends_on: ["a_{i:05d}", "b_{i:05d}"]
    parameters: { i: "0:${triads - 1}" }
  - name: last
    command: "true"
    depends_on: [c_00000]
`

export const triadJobs = (triads: number): number => triads * 3 + 1

/**
 * Chains of any length through files, all of one length at any time since the shallower jobs go first: as many jobs are ready as there
 * are chains, less those that are claimed, until the first chains end.
 */
export function longChainSpec(chains: number, length: number): string {
  const range = `{ i: "0:${chains - 1}" }`
  const files = Array.from(
    { length },
    (_, k) => `  - { name: "out_${k}_{i:05d}", path: "out/${k}/{i:05d}.txt", parameters: ${range} }\n`,
  )
  const jobs = Array.from({ length }, (_, k) => {
    const input = k === 0 ? '' : `, input_files: ["out_${k - 1}_{i:05d}"]`
    return `  - { name: "job_${k}_{i:05d}", command: "true", resource_requirements: small, priority: ${length - k}, output_files: ["out_${k}_{i:05d}"]${input}, parameters: ${range} }\n`
  })
  return `name: long_chains\n${NEEDS}files:\n${files.join('')}jobs:\n${jobs.join('')}`
}
