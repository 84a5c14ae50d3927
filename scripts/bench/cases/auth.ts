import { join } from 'node:path'
import { runHelper } from '../helper.ts'
import type { RatePerSecond, RequestRate } from '../programs/request-rate.ts'
import { type Address, withServer } from '../server.ts'
import { copyDatabase, makeTemplate, type Template } from '../template.ts'
import type { Case, Contender, Setting } from '../types.ts'
import { noopSpec } from '../workloads/specs.ts'

const REQUESTS = { full: 30_000, quick: 200 }
const CONNECTIONS = 8
const JOBS = 10

const WITHOUT = 'nothing shown'
const WITH = 'a token'

export const auth: Case = {
  name: 'auth',
  about: 'requests that show a token against the same from our own user, who need not show anything',
  async prepare(setting) {
    const template = await makeTemplate(setting, noopSpec(JOBS))
    return {
      contenders: [
        contender(setting, template, WITHOUT, async () => undefined),
        contender(setting, template, WITH, makeToken),
      ],
      lines: [
        { contender: WITHOUT, figure: 'rate', unit: '1/s' },
        { contender: WITH, figure: 'rate', unit: '1/s', against: { contender: WITHOUT, target: { least: 0.85 } } },
      ],
    }
  },
}

function contender(
  setting: Setting,
  template: Template,
  name: string,
  tokenAt: (server: Address) => Promise<string | undefined>,
): Contender {
  return {
    name,
    async run(directory) {
      const dbPath = join(directory, 'auth.db')
      copyDatabase(template.dbPath, dbPath)
      return withServer(setting, directory, dbPath, async server =>
        runHelper<RequestRate, RatePerSecond>(setting, 'request-rate', {
          url: server.url,
          path: `/v1/workflows/${template.workflowId}/summary`,
          token: await tokenAt(server),
          requests: setting.quick ? REQUESTS.quick : REQUESTS.full,
          connections: CONNECTIONS,
        }),
      )
    },
  }
}

/** A token without bounds, so that what is measured is the token and not the look at a bound. */
async function makeToken({ url, token }: Address): Promise<string> {
  const reply = await fetch(`${url}/v1/tokens`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ name: 'bench', scopes: ['read'] }),
  })
  const made = (await reply.json()) as { token?: string }
  if (made.token === undefined) throw new Error(`Cannot make a token: ${JSON.stringify(made)}`)
  return made.token
}
