import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { findLoop, implicitDependencies } from '../../api/core/spec/graph.ts'
import type { ExpandedJob } from '../../api/core/spec/types.ts'

type Links = Partial<Pick<ExpandedJob, 'dependsOn' | 'inputFiles' | 'outputFiles' | 'inputUserData' | 'outputUserData'>>

function graphOf(links: Links[], files = 0, userData = 0) {
  const jobs = links.map(link => ({
    dependsOn: [],
    inputFiles: [],
    outputFiles: [],
    inputUserData: [],
    outputUserData: [],
    ...link,
  }))
  return {
    jobs: jobs as unknown as ExpandedJob[],
    files: Array.from({ length: files }, (_, index) => ({
      name: `f${index}`,
      path: '',
      stMtime: undefined,
      identifier: undefined,
    })),
    userData: Array.from({ length: userData }, (_, index) => ({
      name: `u${index}`,
      data: undefined,
      isEphemeral: false,
    })),
  }
}

describe('implicitDependencies()', () => {
  test('are the producers of inputs, without those that are explicit already', () => {
    const graph = graphOf(
      [
        { outputFiles: [0] },
        { outputFiles: [0], outputUserData: [0] },
        { inputFiles: [0], dependsOn: [0] },
        { inputFiles: [0], inputUserData: [0] },
      ],
      1,
      1,
    )
    expect(implicitDependencies(graph)).toEqual([[], [], [1], [0, 1]])
  })

  test('include the job itself when it reads what it writes', () => {
    expect(implicitDependencies(graphOf([{ inputFiles: [0], outputFiles: [0] }], 1))).toEqual([[0]])
  })
})

describe('findLoop()', () => {
  test('names the loop in order of waiting, from its first job, with what is between', () => {
    const graph = graphOf(
      [
        {},
        { inputFiles: [0], outputFiles: [1] },
        { inputUserData: [0], outputFiles: [0] },
        { dependsOn: [1], outputUserData: [0] },
      ],
      2,
      1,
    )
    expect(findLoop(graph)).toEqual([
      { job: 1, via: { kind: 'file', index: 0 } },
      { job: 2, via: { kind: 'userData', index: 0 } },
      { job: 3, via: { kind: 'job', index: 1 } },
    ])
  })

  test('leaves a job that reads its own output aside', () => {
    expect(findLoop(graphOf([{ inputFiles: [0], outputFiles: [0] }], 1))).toBeUndefined()
  })

  test('walks a chain of a hundred thousand jobs', () => {
    const chain = Array.from({ length: 100_000 }, (_, index): Links => (index === 0 ? {} : { dependsOn: [index - 1] }))
    expect(findLoop(graphOf(chain))).toBeUndefined()
    expect(findLoop(graphOf([{ dependsOn: [99_999] }, ...chain.slice(1)]))).toHaveLength(100_000)
  })

  test('finds a loop exactly when no order of the jobs exists, and every step of it is an edge', () => {
    const edges = fc.array(fc.tuple(fc.nat(7), fc.nat(7)), { maxLength: 14 })
    fc.assert(
      fc.property(edges, edges, (explicit, throughFiles) => {
        const links = Array.from({ length: 8 }, () => ({
          dependsOn: [] as number[],
          inputFiles: [] as number[],
          outputFiles: [] as number[],
        }))
        for (const [from, to] of explicit) if (from !== to) links[from]!.dependsOn.push(to)
        for (const [from, to] of throughFiles) {
          if (from === to) continue
          if (!links[to]!.outputFiles.includes(to)) links[to]!.outputFiles.push(to)
          if (!links[from]!.inputFiles.includes(to)) links[from]!.inputFiles.push(to)
        }
        for (const { dependsOn, inputFiles } of links)
          for (const list of [dependsOn, inputFiles]) list.sort((a, b) => a - b)
        const graph = graphOf(links, 8)
        const waits = implicitDependencies(graph).map(
          (implicit, job) => new Set([...implicit, ...links[job]!.dependsOn]),
        )
        const loop = findLoop(graph)
        expect(loop !== undefined).toBe(!hasOrder(waits))
        for (const [at, step] of (loop ?? []).entries()) {
          expect(waits[step.job]!.has(loop![(at + 1) % loop!.length]!.job)).toBe(true)
        }
      }),
    )
  })
})

/** Whether the jobs can be run one after the other. */
function hasOrder(waits: Set<number>[]): boolean {
  const done = new Set<number>()
  for (let round = 0; round < waits.length; round++) {
    for (const [job, on] of waits.entries()) if ([...on].every(other => done.has(other))) done.add(job)
  }
  return done.size === waits.length
}
