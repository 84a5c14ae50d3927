/** What a line in the log of an allocation means, and what to do about it. */
type Rule = { kind: string; severity: 'error' | 'warning'; pattern: RegExp; advice: string }

/** The first that matches counts, so what is special stands before what is general. */
const RULES: readonly Rule[] = [
  {
    kind: 'gpu',
    severity: 'error',
    pattern: /CUDA (?:error|out of memory)|no CUDA-capable device|HIP error/i,
    advice: 'check the GPUs that are asked for',
  },
  {
    kind: 'out_of_memory',
    severity: 'error',
    pattern:
      /oom[-_ ]kill|out[- ]of[- ]memory|exceeded (?:job |step )?memory limit|cannot allocate memory|std::bad_alloc|MemoryError/i,
    advice: 'ask for more memory; `runner recover` does it where it can',
  },
  {
    kind: 'time_limit',
    severity: 'error',
    pattern: /due to time limit|DUE TO TIME LIMIT|TimeLimit reached/i,
    advice: 'ask for more walltime, or give jobs a runtime that fits',
  },
  { kind: 'requeued', severity: 'warning', pattern: /due to job requeue/i, advice: 'it runs again by itself' },
  { kind: 'preempted', severity: 'warning', pattern: /due to preemption/i, advice: 'it runs again by itself' },
  {
    kind: 'node_failure',
    severity: 'error',
    pattern: /due to node failure|node failure|node_fail/i,
    advice: '`runner slurm sync-status` gives its jobs back',
  },
  { kind: 'canceled', severity: 'warning', pattern: /CANCELLED AT|Job cancelled/, advice: 'somebody has cancelled it' },
  {
    kind: 'disk_full',
    severity: 'error',
    pattern: /no space left on device|disk quota exceeded|ENOSPC|EDQUOT/i,
    advice: 'make room where jobs write',
  },
  {
    kind: 'crash',
    severity: 'error',
    pattern: /segmentation fault|bus error|core dumped|illegal instruction/i,
    advice: 'the program itself, or a node of another kind than it was built for',
  },
  {
    kind: 'network',
    severity: 'error',
    pattern:
      /ECONNREFUSED|ETIMEDOUT|EHOSTUNREACH|Cannot reach the control plane|connection (?:refused|timed out|reset)/i,
    advice: 'compute nodes have to reach the server under the address of --url',
  },
  {
    kind: 'environment',
    severity: 'error',
    pattern: /command not found|No such file or directory|module: .*not found|permission denied/i,
    advice: 'check site.prologue, and that nodes see the same paths',
  },
  { kind: 'slurm', severity: 'error', pattern: /(?:slurmstepd|srun|slurmd): error/i, advice: "see Slurm's own words" },
  {
    kind: 'python',
    severity: 'error',
    pattern: /Traceback \(most recent call last\)/,
    advice: 'see the lines below it',
  },
]

/** A line of a log that means trouble. */
export type Problem = { line: number; kind: string; severity: 'error' | 'warning'; text: string; advice: string }

/** A line longer than this says no more by its end. */
const LINE_MOST = 300

/** Finds the lines of a log that mean trouble. */
export function findProblems(text: string): Problem[] {
  return text.split('\n').flatMap((raw, index) => {
    const line = raw.slice(0, 10 * LINE_MOST)
    const rule = RULES.find(({ pattern }) => pattern.test(line))
    if (rule === undefined) return []
    const { kind, severity, advice } = rule
    return [{ line: index + 1, kind, severity, text: line.trim().slice(0, LINE_MOST), advice }]
  })
}

/** The allocation that a log in the output directory is of (spec-format.md 18.1); undefined for other files and other workflows. */
export function allocationOfLog(name: string, workflowId: number): string | undefined {
  const [, workflow, allocation] =
    /^slurm_output_wf(\d+)_sl(\d+)\.[oe]$/.exec(name) ?? /^job_runner_slurm_wf(\d+)_sl(\d+)_.*\.log$/.exec(name) ?? []
  return workflow === String(workflowId) ? allocation : undefined
}
