import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createSite, type Site } from './cluster.ts'
import { type FakeScheduler, startFake } from './fakes/start.ts'

/** The imitations say what hpc.md 2 and 7 say of the real ones, to the letter. */
let fake: FakeScheduler
let site: Site
beforeEach(() => {
  site = createSite()
})
afterEach(() => {
  fake.close()
  site.remove()
})

function call(program: string, ...words: string[]) {
  const { status, stdout, stderr } = spawnSync(program, words, {
    env: fake.env,
    cwd: site.directory,
    encoding: 'utf8',
    timeout: 20_000,
  })
  return { status, stdout, stderr }
}

function script(...lines: string[]): string {
  const path = join(site.directory, 'script')
  writeFileSync(path, ['#!/bin/bash', ...lines, ''].join('\n'))
  return path
}

describe('imitation of PBS', () => {
  beforeEach(() => {
    fake = startFake('pbs')
  })

  it('answers a submission with the id alone', () => {
    expect(call('qsub', script('true'))).toEqual({ status: 0, stdout: '1.fake\n', stderr: '' })
    expect(call('qsub', '-J', '1-3', script('true'))).toEqual({ status: 0, stdout: '2[].fake\n', stderr: '' })
  })

  it('refuses as PBS does', () => {
    expect(call('qsub', '-J', '5-5', script('true'))).toMatchObject({
      status: 2,
      stderr: expect.stringMatching(/^qsub: illegal -J value\nusage/),
    })
    const large = 'qsub: Array job exceeds server or queue size limit\n'
    expect(call('qsub', '-J', '1-10001', script('true'))).toMatchObject({ status: 3, stdout: '', stderr: large })
    expect(call('qsub', '-q', 'x', script('true'))).toMatchObject({ status: 170, stderr: 'qsub: Unknown queue\n' })
    expect(call('qsub', '-Z', script('true')).status).toBe(2)
    expect(call('qsub', script('#PBS -t 1-3', 'true')).status).toBe(2)
  })

  it('tells unknown, finished and away apart by code and message', () => {
    expect(call('qstat', '-f', '9.fake')).toEqual({ status: 153, stdout: '', stderr: 'qstat: Unknown Job Id 9.fake\n' })
    expect(call('qdel', '9.fake')).toMatchObject({ status: 153, stderr: 'qdel: Unknown Job Id 9.fake\n' })
    call('qsub', '-h', script('true'))
    call('qdel', '1.fake')
    expect(call('qstat', '-f', '1.fake')).toMatchObject({
      status: 35,
      stderr: 'qstat: 1.fake Job has finished, use -x or -H to obtain historical job information\n',
    })
    expect(call('qdel', '1.fake').status).toBe(35)
    expect(call('qstat', '-f', '-x', '1.fake')).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('job_state = F'),
    })
    fake.fault('no_history')
    expect(call('qstat', '-f', '-x', '1.fake')).toEqual({
      status: 0,
      stdout: '',
      stderr: 'PBS is not configured to maintain job history\n',
    })
    fake.fault('refused')
    const away = 'Connection refused\nqstat: cannot connect to server fake (errno=15010)\n'
    expect(call('qstat')).toEqual({ status: 255, stdout: '', stderr: away })
    expect(call('qsub', script('true')).status).toBe(162)
    fake.fault('errno111')
    expect(call('qsub', script('true')).status).toBe(111)
  })

  it('prints nothing when there is nothing, and cuts long ids in its table', () => {
    expect(call('qstat')).toEqual({ status: 0, stdout: '', stderr: '' })
    call('qsub', '-h', '-N', 'hr-0123abcd', '-J', '1-2', script('true'))
    const [head, , row] = call('qstat').stdout.split('\n')
    expect(head).toBe('Job id            Name             User              Time Use S Queue')
    expect(row).toMatch(/^1\[\]\.fake +hr-0123abcd .* H workq$/)
    expect(call('qstat', '-t').stdout.trim().split('\n')).toHaveLength(5)
  })

  it('folds long values, and writes JSON that a bad job spoils', () => {
    call('qsub', '-h', '-J', '1-2', script('true'))
    const { stdout } = call('qstat', '-f', '-t', '1[].fake')
    expect(stdout.match(/^Job Id: (.*)$/gm)).toEqual(['Job Id: 1[].fake', 'Job Id: 1[1].fake', 'Job Id: 1[2].fake'])
    expect(stdout).toMatch(/^ {4}Variable_List = [^\n]{59}\n\t\S/m)
    expect(stdout).toContain('    array_state_count = Queued:2 Running:0 Exiting:0 Expired:0\n')
    expect(JSON.parse(call('qstat', '-f', '-F', 'json').stdout)).toMatchObject({
      pbs_server: 'fake',
      Jobs: { '1[].fake': {} },
    })
    fake.fault('bad_json')
    expect(() => JSON.parse(call('qstat', '-f', '-F', 'json').stdout)).toThrow()
  })
})

describe('imitation of Torque', () => {
  it('has its own options, states and messages', () => {
    fake = startFake('torque')
    expect(call('qsub', '-t', '4', script('true'))).toMatchObject({ status: 0, stdout: '1[].fake\n' })
    expect(call('qsub', '-J', '1-2', script('true')).status).toBe(2)
    expect(call('qstat', '-f', '9.fake').stderr).toBe('qstat: Unknown Job Id Error 9.fake\n')
    expect(call('qstat', '-x').stdout).toBe('<Data></Data>')
    call('qsub', '-h', script('true'))
    call('qdel', '2.fake')
    expect(call('qstat', '-f', '2.fake').stdout).toContain('job_state = C')
  })
})

describe('imitation of HTCondor', () => {
  const submitFile = (...lines: string[]): string => {
    const path = join(site.directory, 'job.sub')
    writeFileSync(path, [`executable = ${script('sleep 30')}`, ...lines, ''].join('\n'))
    return path
  }
  beforeEach(() => {
    fake = startFake('htcondor')
  })

  it('answers a submission with the range of processes, or with words', () => {
    expect(call('condor_submit', '-terse', submitFile('queue 20')).stdout).toBe('1.0 - 1.19\n')
    expect(call('condor_submit', submitFile('queue 2'))).toEqual({
      status: 0,
      stdout: 'Submitting job(s)..\n2 job(s) submitted to cluster 2.\n',
      stderr: 'To monitor your job(s), run: condor_watch_q -clusters 2\n',
    })
    expect(call('condor_submit', submitFile('', 'nonsense', 'queue'))).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'ERROR: Failed to parse command file (line 3).\n',
    })
  })

  it('prints nothing at all when nothing matches, as when it is away: only the code differs', () => {
    expect(call('condor_q', '-json')).toEqual({ status: 0, stdout: '', stderr: '' })
    fake.fault('refused')
    expect(call('condor_q', '-json')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: expect.stringMatching(/^-- Failed to fetch ads from: <127\.0\.0\.1:9618\?\S+> : host\n/),
    })
  })

  it('tells what was removed', () => {
    expect(call('condor_rm', '7')).toMatchObject({ status: 0, stdout: 'There are no jobs in the queue\n' })
    call('condor_submit', submitFile('hold = True', 'queue 3'))
    expect(call('condor_rm', '7')).toMatchObject({ status: 1, stderr: "Couldn't find/remove all jobs in cluster 7\n" })
    expect(call('condor_rm', '1.1')).toMatchObject({ status: 0, stdout: 'Job 1.1 marked for removal\n' })
    expect(call('condor_rm', '1.1')).toMatchObject({ status: 1, stderr: 'Job 1.1 not found\n' })
    const all = 'All jobs in cluster 1 have been marked for removal\n'
    expect(call('condor_rm', '1')).toMatchObject({ status: 0, stdout: all })
    expect(JSON.parse(call('condor_history', '-json').stdout)).toHaveLength(3)
  })
})
