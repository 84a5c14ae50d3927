import { expect } from 'vitest'
import { memoryMb } from '../../scripts/bench/process-facts.ts'
import { clientPath, kinds, openNode, startProgram } from '../exec/node.ts'
import { skipUnless } from '../helpers/skip.ts'

const test = skipUnless(kinds.includes('native'), 'no C compiler: the native client of local launches')

test('S86 the resident part grows by less than 20 MB in 100,000 launches, and lends all cores at the end', async () => {
  const node = await openNode('native', { cpus: 8 })
  const launch = async (count: number): Promise<void> => {
    const script = `seq ${count} | xargs -P 16 -n 1 ${clientPath('native')} true`
    expect(await startProgram(node.site, '/bin/sh', ['-c', script], node.env).ended).toMatchObject({
      code: 0,
      stderr: '',
    })
  }
  await launch(2_000)
  const before = memoryMb(node.runner.pid)
  await launch(100_000)
  expect(memoryMb(node.runner.pid) - before).toBeLessThan(20)
  expect(await node.status()).toMatchObject({ free: { cpus: 8 }, holding: [], waiting: [], records: { dropped: 0 } })
})
