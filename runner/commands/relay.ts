import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { hostname } from 'node:os'
import { join, resolve } from 'node:path'
import { needAddress } from '../allocate/address.ts'
import { cannotRun } from '../command-line/error.ts'
import { countFlag } from '../command-line/flags.ts'
import { CONTROL_PLANE } from '../command-line/options.ts'
import { defineVerb } from '../command-line/verb.ts'
import { OUTPUT_DIR, SERVER_HOST } from '../defaults.ts'
import { closeRelay, createRelay } from '../relay/relay.ts'
import { relayToken } from '../relay/token-file.ts'
import { withControlPlane } from './ask.ts'

const PORT = 8081
const TOKEN_NAME = 'relay.token'

export default defineVerb({
  about:
    'Pass the traffic of compute nodes on to the control plane, from a machine that reaches both: a login node. The same API and its streams; nothing is kept, so what the control plane has not answered is not answered. Stops at Ctrl-C or TERM.',
  args: {
    host: {
      type: 'string',
      valueHint: 'ADDRESS',
      description: `address to listen on, such as that of the cluster's network, or 0.0.0.0 (default: ${SERVER_HOST})`,
    },
    port: {
      type: 'string',
      valueHint: 'PORT',
      description: `port to listen on, 0 for any that is free (default: ${PORT})`,
    },
    'token-file': {
      type: 'string',
      valueHint: 'PATH',
      description: `private file with the token that nodes show, made if missing (default: ${TOKEN_NAME} in the output directory)`,
    },
    ...CONTROL_PLANE,
  },
  examples: [
    'relay --url https://jobs.example.org --host 0.0.0.0 --port 8081',
    'allocate 3 --scheduler slurm --walltime 2h --node-url http://login1:8081 --node-token-file headrace_output/relay.token',
  ],
  async run(args) {
    const port = countFlag('--port', args.port, 0, 65_535) ?? PORT
    const tokenPath = resolve(args['token-file'] ?? join(args['output-dir'] ?? OUTPUT_DIR, TOKEN_NAME))
    return withControlPlane(args, async controlPlane => {
      const address = needAddress(controlPlane)
      const token = relayToken(tokenPath)
      const server = createRelay({ address, token, env: process.env })
      const listening = await listen(server, args.host ?? SERVER_HOST, port)
      const hello = await controlPlane.client.request('GET', '/ping')
      if (!hello.ok) process.stderr.write(`The server does not answer now: ${hello.message}\n`)
      process.stderr.write(
        `Relaying http://${shownHost(listening.address)}:${listening.port} to ${address.baseUrl}, token in ${tokenPath}, stop with Ctrl-C\n`,
      )
      await stopSignal()
      await closeRelay(server)
      return 0
    })
  },
})

/** Where nodes find a relay that listens everywhere. */
const shownHost = (address: string): string =>
  address === '0.0.0.0' || address === '::' ? hostname() : address.includes(':') ? `[${address}]` : address

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((done, reject) => {
    server.once('error', error => {
      const { code } = error as NodeJS.ErrnoException
      reject(cannotRun(`Cannot listen on ${host}:${port} (${code}): choose another --port or --host`))
    })
    server.listen(port, host, () => done(server.address() as AddressInfo))
  })
}

/** A second signal ends the process the usual way. */
function stopSignal(): Promise<void> {
  return new Promise(done => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => done())
  })
}
