import { closeSync, copyFileSync, fsyncSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { runHelper } from './helper.ts'
import type { Created, Creation } from './programs/create-workflow.ts'
import { startServer } from './server.ts'
import type { Setting } from './types.ts'

/** A database with one initialised workflow, made once and copied for every run. */
export type Template = { dbPath: string; workflowId: number; jobs: number }

export async function makeTemplate(setting: Setting, text: string): Promise<Template> {
  const directory = setting.directories.make('template')
  const dbPath = join(directory, 'template.db')
  const server = await startServer(setting, directory, dbPath)
  const { workflowId, total } = await runHelper<Creation, Created>(setting, 'create-workflow', {
    address: { url: server.url, token: server.token },
    text,
    route: 'from_spec',
  })
  await server.stop()
  return { dbPath, workflowId, jobs: total }
}

/** Copies a database that nobody has open. It is on the disk before this returns: writing it out would fall on what is measured next. */
export function copyDatabase(from: string, to: string): void {
  copyFileSync(from, to)
  const file = openSync(to, 'r+')
  fsyncSync(file)
  closeSync(file)
}
