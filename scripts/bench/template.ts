import { closeSync, copyFileSync, fsyncSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { createBy } from './create-by.ts'
import { withServer } from './server.ts'
import type { Setting } from './types.ts'

/** A database with one initialised workflow, made once and copied for every run. */
export type Template = { dbPath: string; workflowId: number; jobs: number }

export async function makeTemplate(setting: Setting, text: string): Promise<Template> {
  const directory = setting.directories.make('template')
  const dbPath = join(directory, 'template.db')
  const { workflowId, total } = await withServer(setting, directory, dbPath, address =>
    createBy(setting, address, 'from_spec', text),
  )
  return { dbPath, workflowId, jobs: total }
}

/** Copies a database that nobody has open. It is on the disk before this returns: writing it out would fall on what is measured next. */
export function copyDatabase(from: string, to: string): void {
  copyFileSync(from, to)
  const file = openSync(to, 'r+')
  fsyncSync(file)
  closeSync(file)
}
