import { describe, expect, test } from 'vitest'
import { allocationOfLog, findProblems } from '../../runner/slurm/log-problems.ts'

describe('findProblems()', () => {
  test.each([
    ['out_of_memory', 'slurmstepd: error: Detected 1 oom-kill event(s) in StepId=12.0'],
    ['out_of_memory', 'MemoryError'],
    ['time_limit', 'slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-11-21T08:00:00 DUE TO TIME LIMIT ***'],
    ['preempted', 'slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-11-21T08:00:00 DUE TO PREEMPTION ***'],
    ['requeued', 'slurmstepd-n1: error: *** JOB 6 ON n1 CANCELLED AT 2026-11-21T09:24:10 DUE TO JOB REQUEUE ***'],
    ['node_failure', '*** JOB 12 ON n1 CANCELLED AT 2026-11-21T08:00:00 DUE TO NODE FAILURE, SEE SLURMCTLD LOG ***'],
    ['canceled', 'slurmstepd: error: *** JOB 12 ON n1 CANCELLED AT 2026-11-21T08:00:00 ***'],
    ['disk_full', 'cp: error writing: No space left on device'],
    ['gpu', 'RuntimeError: CUDA error: invalid device ordinal'],
    ['gpu', 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB'],
    ['crash', '/bin/bash: line 1: 5 Segmentation fault (core dumped) ./a.out'],
    ['network', 'Cannot reach the control plane any more: http://127.0.0.1:8080'],
    ['environment', '/usr/bin/bash: line 3: conda: command not found'],
    ['slurm', 'srun: error: Unable to create step for job 12: More processors requested than permitted'],
    ['python', 'Traceback (most recent call last):'],
  ])('calls %s what says: %s', (kind, line) => {
    expect(findProblems(`fine\n${line}\nfine`)).toEqual([expect.objectContaining({ kind, line: 2, text: line })])
  })

  test('finds nothing in what is fine, and cuts endless lines', () => {
    expect(findProblems('1 of 2 jobs done\n\n')).toEqual([])
    expect(findProblems(`srun: error: ${'x'.repeat(9_999)}`)[0]!.text).toHaveLength(300)
  })
})

test('allocationOfLog() knows the logs of one workflow', () => {
  expect(allocationOfLog('slurm_output_wf3_sl12.o', 3)).toBe('12')
  expect(allocationOfLog('job_runner_slurm_wf3_sl12_n0_pid7.log', 3)).toBe('12')
  expect(allocationOfLog('slurm_output_wf31_sl12.o', 3)).toBeUndefined()
  expect(allocationOfLog('job_runner_host_wf3_r0.log', 3)).toBeUndefined()
})
