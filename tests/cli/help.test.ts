import { describe, expect, test } from 'vitest'
import { renderGroupHelp, renderRootHelp, renderVerbHelp } from '../../runner/command-line/help.ts'
import { entryFor, type Group, type Verb } from '../../runner/command-line/verb.ts'
import { widthOf } from '../../runner/screen/text.ts'
import { sectionsOf } from '../../runner/sections.ts'
import { VERBS } from '../../runner/verbs.ts'
import { collectVerbs } from '../../scripts/cli-docs/collect.ts'

const VERB: Verb = {
  about: 'Show how far a workflow is.',
  args: {
    id: { type: 'positional', required: false, valueHint: 'ID', description: 'id of the workflow' },
    jobs: { type: 'string', alias: 'j', valueHint: 'N', description: 'how many' },
    all: { type: 'boolean', description: 'all of them' },
  },
  examples: ['status 3'],
  run: async () => 0,
}

describe('renderVerbHelp()', () => {
  test('shows usage, arguments, options with their values, and examples', () => {
    expect(renderVerbHelp('status', VERB, 80)).toBe(`\
Show how far a workflow is.

Usage: runner status [ID] [options]

  ID  id of the workflow

Options:
  -j, --jobs N  how many
  --all         all of them
  -h, --help    this page

Examples:
  runner status 3
`)
  })

  test('puts descriptions below their options on a narrow screen', () => {
    expect(renderVerbHelp('status', VERB, 40)).toContain('  -j, --jobs N\n      how many\n')
  })

  test('keeps the text of every command within the screen', async () => {
    for (const { words, verb } of await collectVerbs(VERBS)) {
      const text = renderVerbHelp(words, verb, 60).split('Examples:')[0]!
      // A usage line and an option with its value stand whole.
      const lines = text.split('\n').filter(line => !line.startsWith('Usage:') && !/^ {2}-/.test(line))
      for (const line of lines) expect(widthOf(line), `${words}: ${line}`).toBeLessThanOrEqual(60)
    }
  })

  test('shows the exit codes of a command that has its own', () => {
    const verb: Verb = { ...VERB, exitCodes: { 0: 'it ended well', 4: 'it was canceled' } }
    expect(renderVerbHelp('wait', verb, 80)).toContain('Exit codes:\n  0  it ended well\n  4  it was canceled\n')
  })
})

test('renderRootHelp() lists every command beside what it does, in sections that line up', () => {
  const text = renderRootHelp(
    'About.',
    [
      { title: 'Run', commands: [['run', 'run a workflow']] },
      { title: 'Look', commands: [['status', 'show how far it is']] },
    ],
    80,
  )
  expect(text).toContain('Run:\n  run     run a workflow\n\nLook:\n  status  show how far it is\n')
})

test('sectionsOf() puts every command into one section', () => {
  const names = sectionsOf(VERBS).flatMap(({ commands }) => commands.map(([name]) => name))
  expect(names.toSorted()).toEqual(Object.keys(VERBS).toSorted())
})

test('renderGroupHelp() lists the verbs of a noun and says what is meant without one', () => {
  const group: Group = { about: 'The jobs.', verbs: { list: entryFor(VERB) }, fallback: 'list' }
  const text = renderGroupHelp('jobs', group, 80)
  expect(text).toContain('Usage: runner jobs COMMAND [options]')
  expect(text).toContain('  list  show how far a workflow is\n')
  expect(text).toContain('Without a command: list.')
})
