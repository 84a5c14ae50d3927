import { readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { canonicalExpansion } from '../../api/core/spec/canonical.ts'
import { toMapNode } from '../../api/core/spec/json-node.ts'
import type { SpecFormat } from '../../api/core/spec/tree.ts'
import { convertSpec } from '../../api/spec/convert.ts'
import { writeSpec } from '../../api/spec/write.ts'
import { FIXTURES, loadFixture } from './fixture-env.ts'

const FORMATS: readonly SpecFormat[] = ['yaml', 'json', 'json5', 'kdl']

const files = ['', 'rules/'].flatMap(folder =>
  readdirSync(join(FIXTURES, 'specs', folder), { withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name !== 'stations.txt')
    .map(entry => `${folder}${entry.name}`),
)

async function convert(text: string, fileName: string, to: SpecFormat): Promise<{ text: string; lost: string[] }> {
  const result = await convertSpec(text, { fileName }, to)
  if (result.kind !== 'converted') throw new Error(JSON.stringify(result))
  return result
}

describe('convertSpec()', () => {
  test.each(files.flatMap(file => FORMATS.map(to => ({ file, to }))))(
    '$file in $to is the same workflow',
    async ({ file, to }) => {
      const source = readFileSync(join(FIXTURES, 'specs', file), 'utf8')
      const { text } = await convert(source, basename(file), to)
      const expected = await loadFixture(file)
      const { workflow, diagnostics } = await loadFixture(file, { text, format: to })
      expect(diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
      expect(canonicalExpansion(workflow!)).toBe(canonicalExpansion(expected.workflow!))
    },
  )

  test.each(FORMATS)('leaves a file that is in %s already as it is', async format => {
    const texts = {
      yaml: 'name: x # why\njobs:   []\n',
      json: '{"name":"x",  "jobs": []}',
      json5: "{name:'x', jobs:[] /* none */}",
      kdl: 'name x\njob a { command b } // why\n',
    }
    expect((await convert(texts[format], `flow.${format}`, format)).text).toBe(texts[format])
  })
})

const COMMENTED = {
  yaml: `# What it is.
# Two lines.

name: x # the name
# the jobs
jobs:
  # first
  - name: a # behind a
    command: "echo '# no comment'"
    # why this one
    depends_on: [b] # behind a list
  # second
  - name: b
    command: |
      # of the shell
      true
# the end
`,
  json5: `// What it is.
// Two lines.
{
  name: 'x', // the name
  /*
   * the jobs
   */
  jobs: [
    // first
    {
      name: 'a', // behind a
      command: "echo '// no comment'",
      // why this one
      depends_on: ['b'], // behind a list
    },
    // second
    { name: 'b', command: 'true' },
  ],
}
// the end
`,
  kdl: `// What it is.
// Two lines.
name x // the name
/* the jobs */
// first
job a { // behind a
  command "echo '// no comment'"
  // why this one
  depends_on b // behind a list
}
// second
job b { command #"echo /* no " comment */"# }
// the end
`,
}

const SAID = [
  'What it is.',
  'Two lines.',
  'the name',
  'the jobs',
  'first',
  'behind a',
  'why this one',
  'behind a list',
  'second',
  'the end',
]

describe('convertSpec() keeps comments', () => {
  const pairs = (['yaml', 'json5', 'kdl'] as const).flatMap(from =>
    (['yaml', 'json5', 'kdl'] as const).filter(to => to !== from).map(to => ({ from, to })),
  )
  test.each(pairs)('from $from to $to, each once and in order', async ({ from, to }) => {
    const { text, lost } = await convert(COMMENTED[from], `flow.${from}`, to)
    const mark = to === 'yaml' ? '#' : '//'
    const places = SAID.map(words => {
      const lines = text.split('\n').filter(line => line.endsWith(`${mark} ${words}`))
      expect(lines, `${words} in\n${text}`).toHaveLength(1)
      return text.indexOf(`${mark} ${words}\n`)
    })
    expect(places).toEqual([...places].sort((a, b) => a - b))
    expect(lost).toEqual([])
  })

  test('to where a comment behind an entry stays behind it', async () => {
    const { text } = await convert(COMMENTED.yaml, 'flow.yaml', 'json5')
    expect(text).toContain('  name: "x", // the name\n')
    expect(text).toContain('      depends_on: ["b"], // behind a list\n')
    expect(text).toContain('command: "echo \'# no comment\'"')
  })

  test('of a shell command, which are none, as they are', async () => {
    const { text } = await convert(COMMENTED.yaml, 'flow.yaml', 'kdl')
    expect(text).toContain('command """\n        # of the shell\n        true\n')
  })
})

describe('convertSpec() tells what is lost:', () => {
  test.each([
    ['comments in JSON', COMMENTED.yaml, 'flow.yaml', 'json', '10 comments, as JSON has none'],
    ['anchors', 'name: &n x\nproject: *n\njobs: []\n', 'flow.yaml', 'json5', 'anchors: each alias has become a copy'],
    ['nodes behind /-', 'name x\n/-project y\njob a { command b }\n', 'flow.kdl', 'yaml', 'nodes behind /-'],
  ] as const)('%s', async (_, text, name, to, lost) => {
    expect((await convert(text, name, to)).lost).toEqual([lost])
  })
})

describe('convertSpec() tells of nothing lost', () => {
  test.each([
    ['flow.yaml', 'name: x\njobs:\n  - { name: a, command: "run *a &b" }\n  - name: b\n    command: ls *.c &b\n'],
    ['flow.kdl', 'name x\njob a { command "ls /-x"; }\njob b { command #"/-y"#; }\n'],
  ])('where a command in %s only looks like it', async (name, text) => {
    expect((await convert(text, name, 'json5')).lost).toEqual([])
  })
})

describe('convertSpec() never changes a value:', () => {
  test.each([
    [
      'texts that look like other values',
      'name: "0b11"\nproject: "yes"\njobs: [{ name: "010", command: "0o7", tags: { a: "~", b: "1e3", c: " x " } }]\n',
    ],
    [
      'whole floats and large integers',
      'name: x\nuser_data: [{ name: u, data: { a: 1.0, b: 12345678901234567890, c: -0.0, d: 1e21 } }]\njobs: []\n',
    ],
    [
      'native parameters',
      'name: x\njobs: [{ name: "a{p}{q}{r}", command: a, parameters: { p: [1.0, "007"], q: ["1:3"], r: 5 } }]\n',
    ],
    [
      'odd letters',
      'name: "a\\u0085b\\u2028\\ufeff\\t\\"\\\\"\njobs: [{ name: a, command: "x\\n \\n\\"\\"\\"y\\n" }]\n',
    ],
    [
      'keys of maps',
      'name: x\nmetadata: { "a b": 1, "true": [2], z: { "": 3 } }\nparameters: { "p q": "1" }\njobs: []\n',
    ],
    [
      'another spelling of a key',
      'name: x\njob_sort_method: none\nslurm_schedulers: [{ name: s, account: a }]\njobs: [{ name: a, command: a, slurm_scheduler: s }]\n',
    ],
    [
      'absent and empty values',
      'name: x\ndescription: ~\nenv: {}\njobs: [{ name: a, command: "", depends_on: [], retry: {} }]\n',
    ],
  ])('%s', async (_, yaml) => {
    const withJob = yaml.replace('jobs: []', 'jobs: [{ name: go, command: go }]')
    const json5 = (await convert(withJob, 'flow.yaml', 'json5')).text
    const kdl = (await convert(json5, 'flow.json5', 'kdl')).text
    const back = (await convert(kdl, 'flow.kdl', 'yaml')).text
    const last = await convertSpec(back, { fileName: 'flow.yaml' }, 'json')
    const direct = await convertSpec(withJob, { fileName: 'flow.yaml' }, 'json')
    expect([last.kind, direct.kind]).toEqual(['converted', 'converted'])
  })

  test.each([
    [
      'not-a-number in JSON',
      'name: x\njobs: [{ name: "a{p}", command: a, parameters: { p: .nan } }]\n',
      'json',
      'json has no form',
    ],
    [
      'a list of one awkward text in KDL',
      'name: x\njobs: [{ name: "a{p}", command: a, parameters: { p: ["a,b"] } }]\n',
      'kdl',
      'jobs[0].parameters.p: KDL has no list of this one value',
    ],
    ['a file without jobs in KDL', 'name: x\njobs: []\n', 'kdl', 'kdl has no form'],
  ] as const)('%s is refused', async (_, text, to, message) => {
    expect(await convertSpec(text, { fileName: 'flow.yaml' }, to)).toMatchObject({
      kind: 'unwritable',
      message: expect.stringContaining(message),
    })
  })

  test('a file with errors is refused with all of them', async () => {
    const result = await convertSpec('name: 1\njobs: [{ name: a, comand: b }]\n', { fileName: 'flow.yaml' }, 'json')
    expect(result.kind === 'invalid' && result.diagnostics.map(({ code, line }) => `${line} ${code}`)).toEqual([
      '1 wrong_type',
      '2 unknown_key',
    ])
  })
})

/** Texts on which writers of one format or another stumble. */
const ODD = [
  '\n',
  'a\n',
  ' a ',
  'a\n b\n',
  'a\n \nb',
  '"""',
  '\\',
  '#x',
  '//x',
  '/*',
  '- a',
  'a: b',
  '{',
  '&a',
  '*a',
  '!x',
  '@',
  '`',
  '|',
  '>',
]
const OTHER_VALUES = [
  'yes',
  '~',
  'null',
  '1e3',
  '0x1',
  '010',
  '.5',
  '1_0',
  '12:30',
  'true',
  '#true',
  'r"x"',
  '---',
  '<<',
  '\t',
  'a\r\nb',
  '\u0085',
  '\u2028',
  '\ufeff',
  '\0',
  '😀',
  '',
]

const text = fc.oneof(fc.string({ maxLength: 10 }), fc.constantFrom(...ODD, ...OTHER_VALUES))
const name = text.filter(value => value.trim() !== '')
const number = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }))

const file = fc.record({
  name,
  description: text,
  env: fc.dictionary(fc.constantFrom('A', 'B_1'), text),
  metadata: fc.dictionary(
    text,
    fc.oneof(text, number, fc.boolean(), fc.constant(null), fc.array(text, { maxLength: 3 })),
  ),
  user_data: fc.array(fc.record({ name: text, data: fc.jsonValue({ maxDepth: 2 }) }), { maxLength: 2 }),
  jobs: fc.array(
    fc.record({
      name,
      command: text,
      tags: fc.dictionary(text, text),
      depends_on: fc.array(text, { maxLength: 3 }),
      parameters: fc.dictionary(name, fc.oneof(text, number, fc.array(fc.oneof(text, number), { maxLength: 3 }))),
    }),
    { minLength: 1, maxLength: 3 },
  ),
})

describe('convertSpec() of any file', () => {
  test('gives one that means the same, or says what a format has no form for', async () => {
    await fc.assert(
      fc.asyncProperty(file, fc.constantFrom('yaml', 'json5', 'kdl'), async (content, to) => {
        const json = await writeSpec(toMapNode(content as Parameters<typeof toMapNode>[0]), 'json')
        const there = await convertSpec(json, { fileName: 'flow.json' }, to)
        if (there.kind === 'unwritable') {
          expect([to, there.message]).toEqual(['kdl', expect.stringMatching(/no list of this one value|inside a list/)])
          return
        }
        const back = await convertSpec((there as { text: string }).text, { fileName: `flow.${to}` }, 'json')
        expect([there.kind, back.kind]).toEqual(['converted', 'converted'])
      }),
      { numRuns: 150 },
    )
  })
})
