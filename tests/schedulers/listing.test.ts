import { describe, expect, it } from 'vitest'
import { constraintOf, parseListing as parseHtcondor } from '../../runner/schedulers/htcondor/listing.ts'
import { parseIndexList, pathSafeId, renderIndexList } from '../../runner/schedulers/ids.ts'
import { parseFull, toElements } from '../../runner/schedulers/pbs/listing.ts'
import { createPbs } from '../../runner/schedulers/pbs.ts'
import { parseListing as parseSge } from '../../runner/schedulers/sge/listing.ts'
import { parsePartitions, parseListing as parseSlurm, parseTimeLeft } from '../../runner/schedulers/slurm/listing.ts'
import { createSlurm } from '../../runner/schedulers/slurm.ts'
import { countElements, verdictOf } from '../../runner/schedulers/verdict.ts'
import { exited, recorded } from './recorded.ts'

describe('pathSafeId()', () => {
  it.each([
    ['123', '123'],
    ['123;cluster', '123'],
    ['123_4', '123_4'],
    ['123.4', '123_4'],
    ['123.srv.example', '123'],
    ['123[].srv', '123'],
    ['123[4].srv', '123_4'],
    ['../a b', '_a_b'],
  ])('S34 turns %s into %s', (id, safe) => {
    expect(pathSafeId(id)).toBe(safe)
    expect(safe).toMatch(/^\w+$/)
  })
})

describe('parseIndexList()', () => {
  it('reads ranges, steps and a throttle, and writes the shortest list of them', () => {
    expect(parseIndexList('2,5,8-10:1')).toEqual([2, 5, 8, 9, 10])
    expect(parseIndexList('1-9:4%2')).toEqual([1, 5, 9])
    expect(parseIndexList('undefined')).toBeUndefined()
    expect(parseIndexList('1-5:0')).toBeUndefined()
    expect(renderIndexList([9, 3, 1, 2, 3])).toBe('1-3,9')
  })
})

describe('parseListing() of Slurm', () => {
  it('reads every word for a state', () => {
    const row = (word: string) => parseSlurm(`7|N/A|7|${word}|None|1:00|n1|x\n`)![0]!.state
    for (const word of ['PENDING', 'CONFIGURING', 'REQUEUED', 'REQUEUE_HOLD', 'SPECIAL_EXIT'])
      expect(row(word)).toBe('queued')
    for (const word of ['RUNNING', 'COMPLETING', 'SUSPENDED', 'STAGE_OUT']) expect(row(word)).toBe('running')
    for (const word of ['COMPLETED', 'TIMEOUT', 'PREEMPTED', 'REVOKED', 'OUT_OF_MEMORY']) expect(row(word)).toBe('gone')
    expect(row('DREAMING')).toBe('unknown')
  })

  it('keeps reasons with commas, names with bars, and elements that wait together', () => {
    const rows = parseSlurm(
      '7|3-4%2|7|PENDING|ReqNodeNotAvail, UnavailableNodes:n2|10:00||a|b\n7|1|8|RUNNING|None|1-02:03:04|n1|a|b\n',
    )!
    expect(rows).toHaveLength(3)
    expect(rows.map(row => row.index)).toEqual([3, 4, 1])
    expect(rows[0]).toMatchObject({ reason: 'ReqNodeNotAvail, UnavailableNodes:n2', name: 'a|b', stuck: false })
    expect(rows[2]).toMatchObject({ secondsLeft: 93_784, nodes: 'n1' })
  })

  it('tells what never starts', () => {
    const stuck = (reason: string) => parseSlurm(`7|N/A|7|PENDING|${reason}|1:00||x\n`)![0]!.stuck
    for (const reason of [
      'PartitionTimeLimit',
      'DependencyNeverSatisfied',
      'JobHeldAdmin',
      'QOSMaxWallDurationPerJobLimit',
    ])
      expect(stuck(reason)).toBe(true)
    for (const reason of ['Resources', 'Priority', 'JobArrayTaskLimit', 'BeginTime', 'QOSMaxJobsPerUserLimit'])
      expect(stuck(reason)).toBe(false)
  })

  it('reads time left as squeue prints it', () => {
    expect(parseTimeLeft('9:05\n')).toEqual({ seconds: 545 })
    expect(parseTimeLeft('2-00:00:01\n')).toEqual({ seconds: 172_801 })
    expect(parseTimeLeft('UNLIMITED\n')).toEqual({ seconds: undefined })
    expect(parseTimeLeft('INVALID\n')).toEqual({ seconds: 0 })
    expect(parseTimeLeft('NOT_SET\n')).toBeUndefined()
  })

  it('reads limits of partitions', () => {
    expect(parsePartitions('debug*|1:00:00\nlong|7-00:00:00\nall|infinite\n')).toEqual({
      walltimeSeconds: { debug: 3600, long: 604_800 },
      defaultQueue: 'debug',
    })
  })
})

describe('verdictOf()', () => {
  const known = (id: string) => ({ id, acknowledgedAtMs: 0 })

  it('W7 S46 knows elements by their whole ids, in both directions', async () => {
    const slurm = await createSlurm(recorded(exited(0, '1234|1|1240|RUNNING|None|1:00|n1|x\n'))).list({
      ids: ['123', '1234'],
    })
    expect(verdictOf(slurm, known('1234'))).toBe('running')
    expect(verdictOf(slurm, known('123'))).toBe('gone')
    const block = 'Job Id: 123[4].srv\n    Job_Name = hr\n    job_state = R\n\n'
    const pbs = await createPbs(recorded(exited(0, block)), 'pbs').list({
      ids: ['123[].srv.example', '1234[].srv', '123.srv'],
    })
    expect(verdictOf(pbs, known('123[].srv.example'))).toBe('running')
    expect(verdictOf(pbs, known('1234[].srv'))).toBe('unknown')
    expect(verdictOf(pbs, known('123.srv'))).toBe('unknown')
  })

  it('S42 counts what waits and what runs', async () => {
    const rows = ['1|8|RUNNING', '2|7|RUNNING', '3|7|PENDING'].map(text => {
      const [index, raw, word] = text.split('|')
      return `7|${index}|${raw}|${word}|None|1:00|n1|x\n`
    })
    const listing = await createSlurm(recorded(exited(0, rows.join('')))).list({ ids: ['7'] })
    expect(countElements(listing, '7')).toEqual({ queued: 1, running: 2 })
    expect(verdictOf(listing, known('7'))).toBe('running')
  })
})

describe('parseFull() of PBS', () => {
  it('joins folded values, keeps what stands for an array only while its elements say less', () => {
    const text = [
      'Job Id: 7[].srv',
      '    Job_Name = hr-0123abcd',
      '    job_state = B',
      '    Variable_List = PBS_O_HOME=/home/ada,PBS_O_PATH=/usr/local/bin:/usr/bin,PBS_O_S',
      '\tHELL=/bin/bash',
      '',
      'Job Id: 7[1].srv',
      '    Job_Name = hr-0123abcd',
      '    job_state = X',
      '',
      '',
    ].join('\n')
    const jobs = parseFull(text)!
    expect(jobs[0]!.attributes.get('Variable_List')).toContain('PBS_O_SHELL=/bin/bash')
    expect(toElements(jobs).map(row => [row.index, row.state])).toEqual([
      [undefined, 'running'],
      [1, 'gone'],
    ])
    const second = parseFull(`${text}Job Id: 7[2].srv\n    job_state = Q\n\n`)!
    expect(toElements(second).map(row => [row.index, row.state])).toEqual([
      [1, 'gone'],
      [2, 'queued'],
    ])
  })

  it("takes off the index that Torque puts behind an element's name", () => {
    const [row] = toElements(parseFull('Job Id: 7[3].srv\n    Job_Name = hr-0123abcd-3\n    job_state = C\n\n')!)
    expect(row).toMatchObject({ name: 'hr-0123abcd', index: 3, state: 'gone' })
  })
})

describe('parseListing() of Grid Engine', () => {
  const document = (state: string, more = '') =>
    `<?xml version='1.0'?>\n<job_info  xmlns:xsd="x">\n<queue_info>\n<job_list state="x"><JB_job_number>7</JB_job_number><JB_name>a&lt;b</JB_name><state>${state}</state><queue_name>all.q@n1</queue_name>${more}</job_list>\n</queue_info>\n</job_info>\n`

  it.each([
    ['qw', 'queued', false],
    ['hqw', 'queued', true],
    ['Rq', 'queued', false],
    ['Eqw', 'queued', true],
    ['r', 'running', false],
    ['t', 'running', false],
    ['Rr', 'running', false],
    ['s', 'running', false],
    ['dr', 'running', false],
    ['dRr', 'running', false],
    ['?', 'unknown', false],
  ])('takes %s for %s', (word, state, stuck) => {
    expect(parseSge(document(word))).toMatchObject([{ state, stuck, name: 'a<b', nodes: 'n1' }])
  })

  it('expands tasks that wait together', () => {
    expect(parseSge(document('qw', '<tasks>2,5,8-9:1</tasks>'))!.map(row => row.index)).toEqual([2, 5, 8, 9])
  })
})

describe('parseListing() of HTCondor', () => {
  it('knows a hold of a person from one that never ends', () => {
    const rows = [1, 2, 3, 4, 6, 7, 9].map(JobStatus => ({ ClusterId: 7, ProcId: 0, JobStatus }))
    const held = [1, 15, 47, 6].map(HoldReasonCode => ({ ClusterId: 7, ProcId: 1, JobStatus: 5, HoldReasonCode }))
    const states = parseHtcondor(JSON.stringify([...rows, ...held]))!.map(row => row.state)
    expect(states.slice(0, 7)).toEqual(['queued', 'running', 'gone', 'gone', 'running', 'running', 'unknown'])
    expect(states.slice(7)).toEqual(['queued', 'queued', 'gone', 'gone'])
  })

  it('asks by number and by name', () => {
    expect(constraintOf(['7', '8'], ['hr-0123abcd'])).toBe(
      'ClusterId==7 || ClusterId==8 || JobBatchName=="hr-0123abcd"',
    )
  })
})
