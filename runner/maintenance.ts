import { resolve } from 'node:path'
import { cannotRun } from './command-line/error.ts'
import { DATABASE_NAME, OUTPUT_DIR } from './defaults.ts'
import { isUrl } from './local-server.ts'

type Tools = typeof import('../api/node/maintenance/main.ts')

/** Options of the verbs that look after a database itself. */
export const DATABASE = {
  'output-dir': {
    type: 'string',
    valueHint: 'DIR',
    description: `directory with the database (default: ${OUTPUT_DIR})`,
  },
  db: {
    type: 'string',
    valueHint: 'PATH|URL',
    description: `database file, if not ${DATABASE_NAME} in the output directory, or address of a libSQL server`,
  },
  'db-token-file': {
    type: 'string',
    valueHint: 'PATH',
    description: 'file with the token of that server (HEADRACE_DB_TOKEN)',
  },
} as const

/** Loads the control plane's tools and uses them; trouble with a database is told in its own words, exit code 3. */
export async function withTools<T>(use: (tools: Tools) => Promise<T>): Promise<T> {
  const tools = await import('../api/node/maintenance/main.ts')
  try {
    return await use(tools)
  } catch (error) {
    throw error instanceof tools.StartError ? cannotRun(error.message) : error
  }
}

type Given = { 'output-dir'?: string; db?: string; 'db-token-file'?: string }

/** The database that the options name, and what its server wants to see. */
export function databaseOf(args: Given, env: NodeJS.ProcessEnv): { db: string; token?: string; tokenPath?: string } {
  const { db, 'output-dir': outputDir = OUTPUT_DIR, 'db-token-file': tokenFile } = args
  return {
    db: db === undefined ? resolve(outputDir, DATABASE_NAME) : isUrl(db) ? db : resolve(db),
    token: env.HEADRACE_DB_TOKEN || undefined,
    tokenPath: tokenFile && resolve(tokenFile),
  }
}
