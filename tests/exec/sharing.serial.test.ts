import { writeFileSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { describe, expect, test } from 'vitest'
import { memoryMb } from '../../scripts/bench/process-facts.ts'
import { spreadOf } from '../../scripts/bench/statistics.ts'
import { skipUnless } from '../helpers/skip.ts'
import { waitUntil } from '../launcher/harness.ts'
import { clientPath, kinds, type LentNode, openNode, startProgram } from './node.ts'

const RULES = 60

/** A Makefile whose recipes launch 1, 2 and 4 cores in turn, each noting its cores at its start and end. */
function writeMakefile(node: LentNode, recipe: (index: number) => string): void {
  const names = Array.from({ length: RULES }, (_, index) => `t${index}`)
  const rules = names.map((name, index) => `${name}:\n\t@${recipe(index)}\n`)
  writeFileSync(node.site.path('Makefile'), `all: ${names.join(' ')}\n${rules.join('')}`)
}

/** Throws when two launches had a core at the same time, or more than there are. */
function checkRecords(node: LentNode, cpus: number): void {
  const events = node
    .records()
    .flatMap(({ cores, started_at, exited_at }) => [
      { at: started_at, cores, lent: true },
      { at: exited_at, cores, lent: false },
    ])
    .sort((a, b) => a.at - b.at || Number(a.lent) - Number(b.lent))
  const lent = new Set<number>()
  for (const { cores, lent: starts } of events)
    for (const core of cores) {
      if (!starts) lent.delete(core)
      else {
        expect(lent.has(core), `core ${core} is lent twice`).toBe(false)
        expect(core).toBeLessThan(cpus)
        lent.add(core)
      }
    }
}

describe.each(kinds)('sharing a node, %s', kind => {
  test.each([2, 8, 32])(
    'S83 make -j%i with launches of 1, 2 and 4 cores shares no core and does not hang',
    async jobs => {
      const node = await openNode(kind, { cpus: 8 })
      const client = clientPath(kind)
      writeMakefile(node, index => `${client} -c ${[1, 2, 4][index % 3]} sh -c 'sleep 0.02'`)
      const ended = await startProgram(node.site, 'make', [`-j${jobs}`], node.env).ended
      expect(ended).toMatchObject({ code: 0, stderr: '' })
      await waitUntil(
        'all are recorded',
        () => node.records().length,
        count => count === RULES,
      )
      expect(
        node
          .records()
          .map(record => record.cpus)
          .sort()
          .slice(-20),
      ).toEqual(Array(20).fill(4))
      checkRecords(node, 8)
      expect((await node.status()).free.cpus).toBe(8)
    },
  )

  test('a suite that takes its launcher from MPIEXEC runs, and a recipe that fails stops make', async () => {
    const node = await openNode(kind)
    writeFileSync(
      node.site.path('Makefile'),
      "test:\n\t$(MPIEXEC) -n 2 sh -c 'echo rank $$RANK'\n\t$(MPIEXEC) -n 1 false\n",
    )
    const ended = await startProgram(node.site, 'make', ['-s', 'test'], { ...node.env, MPIEXEC: clientPath(kind) })
      .ended
    expect(ended.code).toBe(2)
    expect(ended.stdout.split('\n').sort()).toEqual(['', 'rank 0', 'rank 1'])
    expect(ended.stderr).toContain('Error 1')
  })

  test('S84 a launch of the whole node behind a stream of small ones starts within the bound', async () => {
    const node = await openNode(kind, { cpus: 8 })
    const stream = startProgram(
      node.site,
      '/bin/sh',
      [
        '-c',
        `for i in 1 2 3 4 5 6 7 8 9 10 11 12; do (until [ -e stop ]; do ${clientPath(kind)} sleep 0.1; done) & done; wait`,
      ],
      node.env,
    )
    await node.waitForStatus('all cores are in use', ({ free }) => free.cpus === 0)
    const startedAt = performance.now()
    const whole = await node.run(['-c', '8', 'sh', '-c', 'echo $HEADRACE_CORES'])
    const waitedMs = performance.now() - startedAt
    expect(whole).toMatchObject({ code: 0, stdout: '0,1,2,3,4,5,6,7\n' })
    // The bound is 1 s and what runs then; ten times as wide.
    expect(waitedMs).toBeLessThan(10_000)
    writeFileSync(node.site.path('stop'), '')
    expect(await stream.ended).toMatchObject({ code: 0 })
  })

  test('S84 16 cores asked of 8 end at once', async () => {
    const node = await openNode(kind, { cpus: 8 })
    const held = node.start(['-c', '8', 'sleep', '100'])
    await node.waitForStatus('the node is full', ({ free }) => free.cpus === 0)
    expect(await node.run(['-c', '16', 'true'])).toMatchObject({
      code: 125,
      stderr: 'Cannot launch as this node has 8 cores: wanted are 16\n',
    })
    expect(held.hasEnded()).toBe(false)
  })
})

describe('a long series', () => {
  const native = skipUnless(kinds.includes('native'), 'no C compiler: the native client of local launches')

  native('S86 the ten-thousandth launch costs what the first ones did, and memory stays flat', async () => {
    const node = await openNode('native', { cpus: 8 })
    const millis = async (count: number): Promise<number> => {
      const startedAt = performance.now()
      const script = `i=0; while [ $i -lt ${count} ]; do ${clientPath('native')} true; i=$((i+1)); done`
      expect(await startProgram(node.site, '/bin/sh', ['-c', script], node.env).ended).toMatchObject({ code: 0 })
      return performance.now() - startedAt
    }
    await millis(500)
    const first = [await millis(100), await millis(100), await millis(100)]
    const before = memoryMb(node.runner.pid)
    const script = `seq 10000 | xargs -P 32 -n 1 ${clientPath('native')} -c 1 true`
    expect(await startProgram(node.site, '/bin/sh', ['-c', script], node.env).ended).toMatchObject({ code: 0 })
    const last = [await millis(100), await millis(100), await millis(100)]
    // ± 20 % is a row of the benchmark; here the order of it.
    expect(spreadOf(last).least).toBeLessThan(3 * spreadOf(first).most)
    expect(memoryMb(node.runner.pid) - before).toBeLessThan(20)
    expect((await node.status()).launches).toBeGreaterThan(10_000)
  })
})
