// Simulates one seed in a process of its own, since virtual time takes the place of the process's: `one-seed.mjs '{"seed":1,…}'` prints
// what came of it as one line of JSON.
import type { Plan } from './plan.ts'
import { simulate } from './simulate.ts'
import { VirtualTime } from './virtual-time.ts'

const realNow = Date.now
const time = new VirtualTime(Date.parse('2026-01-01T00:00:00Z'))
const plan = JSON.parse(process.argv[2] ?? '') as Plan
time.install()
const simulated = await simulate(plan, time, realNow)
process.stdout.write(`${JSON.stringify(simulated)}\n`)
// Runners that were killed in the simulation have timers left that never go off.
process.exit(0)
