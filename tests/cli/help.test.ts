import { describe, expect, test } from 'vitest'
import { renderRootHelp, renderVerbHelp } from '../../runner/command-line/help.ts'
import type { Verb } from '../../runner/command-line/verb.ts'
import { widthOf } from '../../runner/screen/text.ts'
import { VERBS } from '../../runner/verbs.ts'

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

  test.each(Object.keys(VERBS))('keeps the text of %s within the screen', async name => {
    const verb = (await VERBS[name]!.load()).default
    const text = renderVerbHelp(name, verb, 60).split('Examples:')[0]!
    for (const line of text.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(60)
  })
})

test('renderRootHelp() lists every command beside what it does', () => {
  const text = renderRootHelp(
    'About.',
    [
      ['run', 'run a workflow'],
      ['status', 'show how far it is'],
    ],
    80,
  )
  expect(text).toContain('Commands:\n  run     run a workflow\n  status  show how far it is\n')
})
