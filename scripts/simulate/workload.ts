import { fractionOf } from '../../runner/random.ts'
import { type Chance, MINUTE_MS, type Plan } from './plan.ts'

/** Enough for a runner of two cores to be busy most of the time. */
const JOBS_PER_RUNNER_HOUR = 10
/** Of jobs that take their time; others take seconds. */
const MEDIAN_MS = 4 * MINUTE_MS
const SIGMA = 1
const LONGEST_MS = 60 * MINUTE_MS
const QUICK_SHARE = 0.3
const FAILING_SHARE = 0.05

type Job = {
  name: string
  command: string
  resource_requirements: string
  priority: number
  depends_on?: string[]
  retry?: { max: number; backoff_seconds: number }
  cancel_on_blocking_job_failure?: boolean
}

/** A workflow file with chains, fans and jobs that fail, as JSON. */
export function workflowOf({ runners, hours }: Plan, chance: Chance): { text: string; jobs: number } {
  const count = Math.max(20, Math.round(runners * hours * JOBS_PER_RUNNER_HOUR))
  const jobs: Job[] = []
  for (let index = 0; index < count; index++) {
    const job: Job = {
      name: `job_${index}`,
      command: 'true',
      resource_requirements: chance.hits(0.8) ? 'small' : 'large',
      priority: chance.whole(0, 3),
    }
    // Near ones, so that there are chains; now and then many, so that there are fans.
    const dependencies = index === 0 || chance.hits(0.4) ? 0 : chance.hits(0.05) ? chance.whole(5, 30) : 1
    if (dependencies > 0) {
      const named = Array.from({ length: dependencies }, () => `job_${Math.max(0, index - chance.whole(1, 200))}`)
      job.depends_on = [...new Set(named)]
    }
    if (chance.hits(0.5)) job.retry = { max: 2, backoff_seconds: 5 }
    if (chance.hits(0.5)) job.cancel_on_blocking_job_failure = false
    jobs.push(job)
  }
  const resource_requirements = [
    { name: 'small', num_cpus: 1, memory: '100m', runtime: 'PT1H' },
    { name: 'large', num_cpus: 2, memory: '1g', runtime: 'PT1H' },
  ]
  return { text: JSON.stringify({ name: 'simulated', loss_budget: 1_000, resource_requirements, jobs }), jobs: count }
}

/** What becomes of one attempt of a job, whoever runs it. */
export function courseOf({ seed }: Plan, jobId: number, attemptId: number): { seconds: number; fails: boolean } {
  const draw = (what: string): number => fractionOf(seed, `${what} ${jobId}.${attemptId}`)
  const fails = draw('fails') < FAILING_SHARE
  if (draw('kind') < QUICK_SHARE) return { seconds: draw('quick') * 5, fails }
  const normal = Math.sqrt(-2 * Math.log(1 - draw('length'))) * Math.cos(2 * Math.PI * draw('angle'))
  return { seconds: Math.min(LONGEST_MS, MEDIAN_MS * Math.exp(SIGMA * normal)) / 1000, fails }
}
