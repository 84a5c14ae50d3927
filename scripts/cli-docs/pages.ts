import { readFileSync } from 'node:fs'
import { VERBS } from '../../runner/verbs.ts'
import { collectCommands } from './collect.ts'
import { renderMan } from './man.ts'
import { renderMarkdown } from './markdown.ts'

export type Page = { path: string; text: string }

const ABOUT = 'Headrace runs workflows of dependent jobs, on a laptop or on many nodes.'
/** What stands between these lines of docs/cli.md is made; what stands before is written by hand. */
export const BEGIN = '<!-- Made by `node scripts/cli-docs/main.mjs` from the commands themselves. -->'

/** The pages that are made from the commands, as they should be. `root` ends with a slash. */
export async function makePages(root: string): Promise<Page[]> {
  const commands = await collectCommands(VERBS)
  const { version } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
  const page = readFileSync(`${root}docs/cli.md`, 'utf8')
  const at = page.indexOf(BEGIN)
  if (at < 0) throw new Error(`Cannot write docs/cli.md as it has no line ${BEGIN}`)
  return [
    { path: `${root}docs/cli.md`, text: `${page.slice(0, at)}${BEGIN}\n\n${renderMarkdown(commands).trimEnd()}\n` },
    { path: `${root}docs/man/runner.1`, text: renderMan(commands, ABOUT, version) },
  ]
}
