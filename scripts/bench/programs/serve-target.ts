import { once } from 'node:events'
import { startTarget, type TargetName } from '../../../tests/conformance/targets.ts'

/** Where a control plane and its database server are. */
export type Served = { url: string; token: string; databaseUrl: string }

/** Serves a control plane of one kind over a database server of its own, both until SIGTERM. Its address is one line of JSON. */
const target = await startTarget(process.argv[2] as TargetName, { twin: false })
const { url, token, databaseUrl } = target
process.stdout.write(`${JSON.stringify({ url, token, databaseUrl })}\n`)
await once(process, 'SIGTERM')
await target.stop()
process.exit(0)
