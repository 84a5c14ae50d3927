import { resolve } from 'node:path'
import { type ServerAddress, serverAddress } from '../client/server-address.ts'
import { cannotRun } from '../command-line/error.ts'
import { countFlag } from '../command-line/flags.ts'
import { INFO_NAME, OUTPUT_DIR } from '../defaults.ts'
import { parseRunSettings, type RunFlags, type RunSettings } from '../run-options.ts'
import { readServerInfo } from '../server-info.ts'

/** Which workflows a runner serves: those named, or all that its token opens, of one user or one project if that is said. */
export type Wanted = { workflowIds?: readonly number[]; user?: string; project?: string }

export type StartFlags = Omit<RunFlags, 'target' | 'db'> & {
  workflows: readonly string[]
  user?: string
  project?: string
}

export type StartOptions = RunSettings & {
  controlPlane: { kind: 'server'; address: ServerAddress }
  wanted: Wanted
}

/**
 * Turns the options of `start` into typed ones. The server is the one that is named, else the one that runs on the output directory. Throws a
 * usage error, or an error of exit code 3 when there is no server.
 */
export function parseStartOptions(flags: StartFlags, env: NodeJS.ProcessEnv, cwd: string): StartOptions {
  const { workflows, user, project } = flags
  const outputDir = resolve(cwd, flags['output-dir'] ?? OUTPUT_DIR)
  const address = serverAddress({ url: flags.url, caCert: flags['ca-cert'] }, env) ?? addressOfRunning(outputDir)
  if (address === undefined)
    throw cannotRun('Cannot start a runner without a server: name one with --url, or run a file with `runner run FILE`')
  const ids = workflows.map(text => countFlag('the workflow id', text, 1)!)
  return {
    ...parseRunSettings({ ...flags, url: address.baseUrl }, env, cwd),
    controlPlane: { kind: 'server', address },
    wanted: { workflowIds: ids.length === 0 ? undefined : [...new Set(ids)], user, project },
  }
}

function addressOfRunning(outputDir: string): ServerAddress | undefined {
  const info = readServerInfo(resolve(outputDir, INFO_NAME))
  return info && { ...serverAddress({ url: info.url }, {})!, token: info.token }
}
