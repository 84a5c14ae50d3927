import { join } from 'node:path'
import { describe, expect } from 'vitest'
import { checkDatabase } from '../../api/node/maintenance/main.ts'
import { openFile } from '../../db/open-file.ts'
import { openRemote } from '../../db/open-remote.ts'
import { skipUnless } from '../helpers/skip.ts'
import { type ControlPlane, TOKEN } from './soak-control-planes.ts'
import { mountDisk } from './soak-disk.ts'
import { cutOff, type Faults, faultAgainAndAgain, filledUp, frozen, killed } from './soak-faults.ts'
import { afterTest, prepareGround } from './soak-ground.ts'
import { type Ledger, openLedger } from './soak-ledger.ts'
import { type Made, runLoad } from './soak-load.ts'
import { expectNothingLost } from './soak-outcome.ts'
import { HERE, type Place, whyNoPlaces } from './soak-place.ts'
import { SQLD_PORT, startSoakSqld } from './soak-sqld.ts'

/** How long all of it takes about; half an hour by hand: HEADRACE_SOAK_SECONDS=1800. */
const SECONDS = Number(process.env.HEADRACE_SOAK_SECONDS ?? 300) / 2
const RUNNERS = 200
/** The last workflows take about so long, lapsed leases included. */
const LAST_SECONDS = 35
/** Many times what the jobs of half an hour take. */
const DISK_BYTES = 256 * 2 ** 20

const why = whyNoPlaces()
const soakTest = skipUnless(why === undefined, `the soak of servers, as ${why}`)

type Soak = { planes: readonly ControlPlane[]; slots: number; ledger: Ledger; faults: Faults }

/** Runs load and faults for as long as asked for. */
async function soak({ planes, slots, ledger, faults }: Soak): Promise<Made> {
  const seconds = Math.max(SECONDS - LAST_SECONDS, 1)
  const untilMs = Date.now() + seconds * 1000
  // Well above what the slowest machine needs; a soak that hangs is a failure.
  const deadlineMs = untilMs + 120_000
  const over = new AbortController()
  const load = {
    urls: planes.map(({ url }) => url),
    token: TOKEN,
    runners: RUNNERS,
    slots,
    untilMs,
    deadlineMs,
    ledger,
  }
  const faulting = faultAgainAndAgain(faults, over.signal)
  // Whatever is in the runners' hands then has to end well.
  const noMoreFaults = setTimeout(() => over.abort(), seconds * 1000)
  const loading = runLoad(load).finally(() => over.abort())
  const [made, counts] = await Promise.all([loading, faulting]).finally(() => clearTimeout(noMoreFaults))
  const said = planes.map(plane => plane.said()).join('')
  expect(ledger.unexpected.slice(0, 5), said).toEqual([])
  expect(ledger.twice).toEqual([])
  expect(ledger.silences).toBeGreaterThan(0)
  // For whoever reads a long one: what happened, and what the runners saw of it.
  console.log({ ...counts, ...ledger, accepted: ledger.accepted.size, ...made, workflows: made.workflows.length })
  for (const [kind, times] of Object.entries(counts)) expect(times, kind).toBeGreaterThan(0)
  // Neither a full disk nor silence ends a server.
  expect(
    planes.map(plane => plane.deaths),
    said,
  ).toEqual(planes.map(() => 0))
  return made
}

describe(`${RUNNERS} runners lose nothing and do nothing twice`, () => {
  const timeout = SECONDS * 1_000 + 240_000

  soakTest('while their server is killed, frozen, cut off and out of room', { timeout }, async () => {
    const { directory, network, openPlace, startPlane } = await prepareGround()
    const place = await openPlace()
    const link = network.link(HERE, place)
    const data = join(directory, 'data')
    const disk = mountDisk(place, data, DISK_BYTES)
    const plane = await startPlane({
      place,
      host: link.b,
      db: join(data, 'soak.db'),
      directory: join(directory, 'server'),
    })
    const ledger = openLedger()
    const made = await soak({
      planes: [plane],
      slots: 4,
      ledger,
      faults: {
        'server cut off from runners': cutOff(link),
        'server killed': killed(plane),
        'disk full': filledUp(disk, ledger),
        'server frozen': frozen(plane),
      },
    })
    await plane.stop()
    place.copyOut(data, join(directory, 'copy'))
    const path = join(directory, 'copy', 'soak.db')
    expect(await checkDatabase({ db: path })).toEqual([])
    const db = openFile(path)
    afterTest(() => db.close())
    await expectNothingLost(db, ledger, made)
  })

  soakTest('while two servers and their database are', { timeout }, async () => {
    const { directory, network, openPlace, startPlane } = await prepareGround()
    const [first, second, store] = [await openPlace(), await openPlace(), await openPlace()]
    const data = join(directory, 'data')
    const disk = mountDisk(store, data, DISK_BYTES)
    const inspection = network.link(HERE, store)
    const sqld = await startSoakSqld(store, inspection.b, data)
    afterTest(() => sqld.stop())

    const joined = async (place: Place, name: string) => {
      const runners = network.link(HERE, place)
      const database = network.link(place, store)
      const db = `http://${database.b}:${SQLD_PORT}`
      const plane = await startPlane({ place, host: runners.b, db, directory: join(directory, name) })
      return { runners, database, plane }
    }
    const one = await joined(first, 'first')
    const two = await joined(second, 'second')
    const ledger = openLedger()
    const made = await soak({
      planes: [one.plane, two.plane],
      slots: 1,
      ledger,
      faults: {
        'server cut off from runners': cutOff(one.runners),
        'server cut off from database': cutOff(two.database),
        'disk full': filledUp(disk, ledger),
        'database killed': killed(sqld),
        'server killed': killed(one.plane),
        'server frozen': frozen(two.plane),
        'database frozen': frozen(sqld),
      },
    })
    const url = `http://${inspection.b}:${SQLD_PORT}`
    expect(await checkDatabase({ db: url })).toEqual([])
    await expectNothingLost(openRemote({ url }), ledger, made)
  })
})
