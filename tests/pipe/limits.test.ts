import { expect, it } from 'vitest'
import { withinLimits } from '../../runner/pipe/limits.ts'
import { parsePipeOptions } from '../../runner/pipe/options.ts'
import { scriptedScheduler } from './scripted-scheduler.ts'

const options = (flags: object) =>
  parsePipeOptions({ scheduler: 'slurm', walltime: '2h', ...flags }, { job: [], tag: [], prologue: [], directive: [] })
const scheduler = {
  ...scriptedScheduler(),
  limits: async () => ({ arrayMost: 1000, walltimeSeconds: { debug: 3600, long: 86_400 } }),
}

it('withinLimits() takes the widest array from the site unless the user names it', async () => {
  expect((await withinLimits(options({}), scheduler)).arrayMost).toBe(1000)
  expect((await withinLimits(options({ 'max-array-size': '7' }), scheduler)).arrayMost).toBe(7)
})

it('withinLimits() refuses a wall time over that of the queue, by both figures', async () => {
  await expect(withinLimits(options({ queue: 'debug' }), scheduler)).rejects.toThrow(
    /at most 3600 s: --walltime is 7200 s/,
  )
  for (const queue of ['long', 'unlisted', undefined])
    expect(await withinLimits(options({ queue }), scheduler)).toMatchObject({ queue, walltimeSeconds: 7200 })
})
