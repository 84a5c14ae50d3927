import { describe, expect, test } from 'vitest'
import { allValues, checkArguments, readArguments } from '../../runner/command-line/arguments.ts'
import { CommandError } from '../../runner/command-line/error.ts'
import { defineVerb } from '../../runner/command-line/verb.ts'

const ARGS = {
  file: { type: 'positional', required: true, valueHint: 'FILE' },
  'max-parallel-jobs': { type: 'string', alias: 'j', valueHint: 'N' },
  'output-dir': { type: 'string', valueHint: 'DIR' },
  label: { type: 'string', valueHint: 'LABEL' },
  overcommit: { type: 'boolean' },
} as const

describe('checkArguments()', () => {
  test.each([
    [['f.yaml']],
    [['f.yaml', '-j', '4', '--overcommit']],
    [['-j4', '--output-dir=out', 'f.yaml']],
    [['--output-dir', 'out', '--', '-strange-name.yaml']],
    [['f.yaml', '-j', '-1']],
  ])('accepts %j', words => {
    expect(() => checkArguments(ARGS, words)).not.toThrow()
  })

  test.each([
    [['f', '--outptu-dir', 'x'], 'Cannot use the option --outptu-dir as it is unknown: did you mean --output-dir?'],
    [['f', '--outputDir', 'x'], 'Cannot use the option --outputDir as it is unknown: did you mean --output-dir?'],
    [['f', '--xyzzy'], 'Cannot use the option --xyzzy as it is unknown: --help lists the options'],
    [['f', '--no-overcommit'], 'Cannot use the option --no-overcommit as it is unknown: did you mean --overcommit?'],
    [['f', '-x'], 'Cannot use the option -x as it is unknown: --help lists the options'],
    [['f', '-v'], 'Cannot use the option -v as it is unknown: --help lists the options'],
    [['f', '--output-dir'], 'Cannot use --output-dir without a value'],
    [['f', '--output-dir', '--overcommit'], 'Cannot use --output-dir without a value'],
    [['f', '--overcommit=yes'], 'Cannot use --overcommit with a value as it is a switch: current value is yes'],
    [[], 'Cannot go on without FILE: --help shows an example'],
    [['f', 'g'], 'Cannot understand the word g: nothing is expected there'],
  ])('refuses %j', (words, message) => {
    expect(() => checkArguments(ARGS, words)).toThrow(new CommandError(message, 2))
  })
})

test('allValues() gives every value of a repeated option', () => {
  expect(allValues(ARGS, ['f', '--label', 'a', '--label=b,c'], 'label')).toEqual(['a', 'b,c'])
})

test('defineVerb() hands over what citty parsed, by the full names of options', async () => {
  const seen: unknown[] = []
  const verb = defineVerb({
    about: '',
    args: ARGS,
    examples: [],
    async run(args) {
      seen.push(args.file, args['max-parallel-jobs'], args['output-dir'], args.overcommit)
      return 0
    },
  })
  expect(await verb.run(['-j4', 'f.yaml', '--output-dir', 'out'])).toBe(0)
  expect(seen).toEqual(['f.yaml', '4', 'out', undefined])
})

test('defineVerb() hands over a switch whose name begins with no-', async () => {
  let store: boolean | undefined = true
  const args = { 'no-store': { type: 'boolean' } } as const
  const verb = defineVerb({
    about: '',
    args,
    examples: [],
    async run(given) {
      store = given['no-store'] !== true
      return 0
    },
  })
  await verb.run(['--no-store'])
  expect(store).toBe(false)
})

test('readArguments() takes an option whose name begins with no- as it is declared', () => {
  const definitions = { 'no-store': { type: 'boolean', alias: 'n' }, store: { type: 'string' } } as const
  expect(readArguments(definitions, ['--no-store'])['no-store']).toBe(true)
  expect(readArguments(definitions, ['-n'])['no-store']).toBe(true)
  expect(readArguments(definitions, [])['no-store']).toBeUndefined()
})
