import { describe, expect, it } from 'vitest'
import { type GraphJob, groupGraph } from '../../api/core/graph-groups.ts'

const jobsOf = (names: readonly string[]): GraphJob[] =>
  names.map((name, k) => ({ id: k + 10, name, status: k === 0 ? 'completed' : 'ready' }))

const NONE = { from: [], to: [] }

/** setup_k -> work_k, all of them -> collect. */
function pipeline(n: number): { jobs: GraphJob[]; edges: { from: number[]; to: number[] } } {
  const numbers = Array.from({ length: n }, (_, k) => k)
  const jobs = jobsOf([...numbers.map(k => `setup_${k}`), ...numbers.map(k => `work_${k}`), 'collect'])
  const from = [...numbers, ...numbers.map(k => n + k)]
  const to = [...numbers.map(k => n + k), ...numbers.map(() => 2 * n)]
  return { jobs, edges: { from, to } }
}

describe('groupGraph()', () => {
  it('shows every job while they are few', () => {
    const { jobs, edges } = pipeline(2)
    const graph = groupGraph(jobs, edges, { mostGroups: 5 })
    expect(graph.groupedBy).toBe('job')
    expect(graph.groups.map(group => [group.label, group.firstLevel])).toEqual([
      ['setup_0', 0],
      ['setup_1', 0],
      ['work_0', 1],
      ['work_1', 1],
      ['collect', 2],
    ])
    expect(graph.edges).toEqual([
      { from: 1, to: 3, count: 1 },
      { from: 2, to: 4, count: 1 },
      { from: 3, to: 5, count: 1 },
      { from: 4, to: 5, count: 1 },
    ])
  })

  it('draws a sweep of 100,000 jobs together by name and level', () => {
    const { jobs, edges } = pipeline(50_000)
    const graph = groupGraph(jobs, edges, { mostGroups: 200 })
    expect(graph.groupedBy).toBe('level_and_name')
    expect(graph.groups).toEqual([
      {
        id: 1,
        label: 'setup_*',
        jobCount: 50_000,
        jobsByStatus: { completed: 1, ready: 49_999 },
        firstLevel: 0,
        lastLevel: 0,
        jobIds: [10, 11, 12, 13, 14],
      },
      expect.objectContaining({ id: 2, label: 'work_*', jobCount: 50_000, firstLevel: 1 }),
      expect.objectContaining({ id: 3, label: 'collect', jobCount: 1, jobIds: [100_010] }),
    ])
    expect(graph.edges).toEqual([
      { from: 1, to: 2, count: 50_000 },
      { from: 2, to: 3, count: 50_000 },
    ])
  })

  it('lets a long chain be one group that leads to itself', () => {
    const jobs = jobsOf(Array.from({ length: 1_000 }, (_, k) => `step_${k}`))
    const from = jobs.slice(1).map((_, k) => k)
    const graph = groupGraph(jobs, { from, to: from.map(k => k + 1) }, { mostGroups: 10 })
    expect(graph.groupedBy).toBe('name')
    expect(graph.groups).toMatchObject([{ jobCount: 1_000, firstLevel: 0, lastLevel: 999 }])
    expect(graph.edges).toEqual([{ from: 1, to: 1, count: 999 }])
  })

  it('falls back to levels, and to one group, where names tell nothing', () => {
    const names = Array.from({ length: 26 }, (_, k) => String.fromCharCode(97 + k))
    expect(groupGraph(jobsOf(names), NONE, { mostGroups: 5 }).groupedBy).toBe('level')
    const from = names.slice(1).map((_, k) => k)
    const chained = groupGraph(jobsOf(names), { from, to: from.map(k => k + 1) }, { mostGroups: 5 })
    expect([chained.groupedBy, chained.groups.length]).toEqual(['none', 1])
  })

  it('takes numbers with points as one', () => {
    const graph = groupGraph(jobsOf(['lr_0.1_v2', 'lr_0.01_v10']), NONE, { mostGroups: 1 })
    expect(graph.groups.map(group => group.label)).toEqual(['lr_*_v*'])
  })

  it('groups as it is told, however many groups that makes', () => {
    const { jobs, edges } = pipeline(10)
    expect(groupGraph(jobs, edges, { mostGroups: 1, wanted: 'job' }).groups).toHaveLength(21)
    expect(groupGraph(jobs, edges, { mostGroups: 100, wanted: 'level' }).groups).toHaveLength(3)
  })

  it('survives a circle and an empty workflow', () => {
    expect(groupGraph(jobsOf(['a', 'b']), { from: [0, 1], to: [1, 0] }, { mostGroups: 9 }).edges).toHaveLength(2)
    expect(groupGraph([], NONE, { mostGroups: 9 })).toEqual({ groupedBy: 'job', groups: [], edges: [] })
  })
})
