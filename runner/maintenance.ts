import { resolve } from 'node:path'
import { cannotRun, usageError } from './command-line/error.ts'
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
  'db-project': {
    type: 'string',
    valueHint: 'NAME',
    description: "that project's database, where each has its own; an empty name: the one of no project",
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

type Given = { 'output-dir'?: string; db?: string; 'db-token-file'?: string; 'db-project'?: string }

type Place = { db: string; token?: string; tokenPath?: string; project?: string }

/** The database that the options name, and what its server wants to see. */
export function databaseOf(args: Given, env: NodeJS.ProcessEnv): Place {
  const { db, 'output-dir': outputDir = OUTPUT_DIR, 'db-token-file': tokenFile, 'db-project': project } = args
  if (project !== undefined && (db === undefined || !isUrl(db)))
    throw usageError('Cannot find the database of a project in a file, which holds one: name its server with --db')
  return {
    db: db === undefined ? resolve(outputDir, DATABASE_NAME) : isUrl(db) ? db : resolve(db),
    token: env.HEADRACE_DB_TOKEN || undefined,
    tokenPath: tokenFile && resolve(tokenFile),
    project,
  }
}
