import { CONTROL_PLANE, FORMAT } from '../command-line/options.ts'
import { print, printJson } from '../command-line/output.ts'
import { defineVerb } from '../command-line/verb.ts'
import { expectValue, formatOf, withControlPlane } from './ask.ts'

type Version = { version: string; api_version: string }

export default defineVerb({
  about: 'Ask whether the control plane answers, and how quickly.',
  args: { ...FORMAT, ...CONTROL_PLANE },
  examples: ['ping', 'ping --url http://login1:8080'],
  async run(args) {
    const format = formatOf(args.format)
    return withControlPlane(args, async ({ client, where }) => {
      // The second request does not pay for the connection.
      const doing = `ping ${where}`
      const { version, api_version } = expectValue(await client.request<Version>('GET', '/version'), doing, where)
      // Node loads `performance` when it is first used, which takes longer than the request.
      const startedAt = process.hrtime.bigint()
      const { status } = expectValue(await client.request<{ status: string }>('GET', '/ping'), doing, where)
      const ms = Number((process.hrtime.bigint() - startedAt) / 100_000n) / 10
      if (format === 'json') printJson({ status, where, ms, version, api_version })
      else print(`${where} answers in ${ms} ms (${version}, API ${api_version})`)
      return 0
    })
  },
})
