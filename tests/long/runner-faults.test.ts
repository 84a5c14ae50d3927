import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { checkDatabase } from '../../api/node/maintenance/main.ts'
import { openFile } from '../../db/open-file.ts'
import { all } from '../../db/unit.ts'
import { openProgram } from '../cli/program.ts'
import { skipUnless } from '../helpers/skip.ts'
import { until } from './control.ts'
import { persistentClient } from './soak-client.ts'
import { TOKEN } from './soak-control-planes.ts'
import { mountDisk } from './soak-disk.ts'
import { afterTest, prepareGround } from './soak-ground.ts'
import { openLedger } from './soak-ledger.ts'
import { HERE, whyNoPlaces } from './soak-place.ts'

const JOBS = 400
const CUT_MS = 6_000
const FULL_MS = 5_000
const DEADLINE_MS = 60_000

const why = whyNoPlaces()

skipUnless(why === undefined, `a runner whose server is cut off and out of room, as ${why}`)(
  'S93 S94 runner run goes on after its server was cut off and after its disk was full, each job done once',
  { timeout: DEADLINE_MS + 30_000 },
  async () => {
    const { directory, network, openPlace, startPlane } = await prepareGround()
    const place = await openPlace()
    const link = network.link(HERE, place)
    const data = join(directory, 'data')
    const disk = mountDisk(place, data, 64 * 2 ** 20)
    const plane = await startPlane({
      place,
      host: link.b,
      db: join(data, 'run.db'),
      directory: join(directory, 'server'),
    })
    const ledger = openLedger()
    const ask = persistentClient({ url: plane.url, token: TOKEN, deadlineMs: Date.now() + DEADLINE_MS, ledger })
    const ran = join(directory, 'ran')
    const { workflow_id: id } = await ask<{ workflow_id: number }>('POST', '/workflows/from_spec?start=true', {
      name: 'faults',
      jobs: [{ name: 'job_{i}', command: `sleep 0.2; echo {i} >>${ran}`, parameters: { i: `1:${JOBS}` } }],
    })

    const program = openProgram()
    afterTest(() => program.close())
    const run = program.run(['run', String(id), '--url', plane.url, '-j', '4'], { HEADRACE_TOKEN: TOKEN })
    const completed = async (): Promise<number> => {
      const summary = await ask<{ jobs_by_status: Record<string, number> }>('GET', `/workflows/${id}/summary`)
      return summary.jobs_by_status.completed ?? 0
    }
    const untilCompleted = (least: number) => until(completed, found => found >= least)

    await untilCompleted(JOBS * 0.1)
    link.cut()
    await sleep(CUT_MS)
    link.mend()
    await untilCompleted(JOBS * 0.4)
    disk.fill()
    // What is written here is noticed here.
    const noticing = until(
      () => ask('POST', '/events', { workflow_id: id, timestamp: Date.now(), data: { ballast: 'x'.repeat(10_000) } }),
      () => ledger.refused.full > 0,
    )
    await until(
      () => ledger.refused.full,
      refused => refused > 0,
    )
    await sleep(FULL_MS)
    expect(await completed()).toBeLessThan(JOBS)
    disk.clear()
    await noticing

    const { code, stdout, stderr } = await run
    expect(code, stdout + stderr).toBe(0)
    const lines = readFileSync(ran, 'utf8').trim().split('\n').map(Number)
    expect(lines.sort((a, b) => a - b)).toEqual(Array.from({ length: JOBS }, (_, index) => index + 1))
    expect(plane.deaths, plane.said()).toBe(0)
    await plane.stop()
    place.copyOut(data, join(directory, 'copy'))
    const path = join(directory, 'copy', 'run.db')
    expect(await checkDatabase({ db: path })).toEqual([])
    const db = openFile(path)
    afterTest(() => db.close())
    const results = await db.read(() =>
      all('SELECT count(*) AS n, count(DISTINCT job_id) AS jobs, max(return_code) AS code FROM result'),
    )
    expect(results).toEqual([{ n: JOBS, jobs: JOBS, code: 0 }])
  },
)
