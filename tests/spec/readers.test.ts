import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { toJson } from '../../api/core/spec/data-json.ts'
import { formatOfName } from '../../api/core/spec/format-of-name.ts'
import type { SpecFormat, SpecNode } from '../../api/core/spec/tree.ts'
import { readSpec } from '../../api/spec/read.ts'

const FORMATS: SpecFormat[] = ['json', 'json5', 'yaml', 'kdl']

async function treeOf(text: string, format: SpecFormat) {
  const read = await readSpec(text, { fileName: 'flow', format })
  if ('diagnostics' in read) throw new Error(read.diagnostics[0]?.message)
  return read.tree
}

async function faultOf(text: string, format: SpecFormat) {
  const read = await readSpec(text, { fileName: 'flow', format })
  if ('tree' in read) throw new Error('it parsed')
  const { line, column, code, hint } = read.diagnostics[0]!
  return { line, column, code, hint }
}

function nodeOf(root: SpecNode, key: string): SpecNode | undefined {
  return root.kind === 'map' ? root.entries.find(entry => entry.key === key)?.value : undefined
}

describe('readYaml()', () => {
  test.each([
    ['yes', 'text', 'yes'],
    ['off', 'text', 'off'],
    ['True', 'bool', true],
    ['~', 'null', undefined],
    ['', 'null', undefined],
    ['010', 'text', '010'],
    ['1_0', 'text', '1_0'],
    ['12:30:45', 'text', '12:30:45'],
    ['2024-01-15', 'text', '2024-01-15'],
    ['-12', 'int', -12],
    ['0x1F', 'int', 31],
    ['-0o17', 'int', -15],
    ['0b101', 'int', 5],
    ['9007199254740993', 'int', 9007199254740993n],
    ['1e3', 'float', 1000],
    ['5.', 'float', 5],
    ['.5', 'float', 0.5],
    ['-.inf', 'float', Number.NEGATIVE_INFINITY],
    ['.nan', 'float', Number.NaN],
    ['!!str 5', 'text', '5'],
    ['!!int 5', 'int', 5],
    ['"5"', 'text', '5'],
    ['1:3', 'text', '1:3'],
  ])('reads %s as %s', async (written, kind, value) => {
    const { root } = await treeOf(`k: ${written}\n`, 'yaml')
    const node = nodeOf(root, 'k')
    expect(node?.kind).toBe(kind)
    expect(node && 'value' in node ? node.value : undefined).toEqual(value)
  })

  test('copies aliases, keeps << as a plain key, reads CRLF block text with LF', async () => {
    const { root } = await treeOf('a: &x [1]\nb: *x\n<<: 1\nc: |\r\n  one\r\n  two\r\n', 'yaml')
    expect(toJson(root)).toEqual({ a: [1], b: [1], '<<': 1, c: 'one\ntwo\n' })
  })

  test.each([
    ['a: 1\n---\nb: 2\n', 2, 1],
    ['a: !custom x\n', 1, 12],
    ['a:\n\t- b\n', 2, 1],
    ['a: *none\n', 1, 4],
    ['a: &x [*x]\n', 1, 8],
    ['? [a]\n: 1\n', 1, 3],
    ['- a\n', 1, 1],
    ['just text\n', 1, 1],
  ])('refuses %j', async (text, line, column) => {
    expect(await faultOf(text, 'yaml')).toMatchObject({ code: 'syntax', line, column })
  })

  test('a trailing ... is fine', async () => {
    expect(toJson((await treeOf('a: 1\n...\n', 'yaml')).root)).toEqual({ a: 1 })
  })
})

describe('readJson()', () => {
  test('keeps the order of keys, equal keys and the position of every key and value', async () => {
    const { root } = await treeOf('{ "b": 1,\n "1": "x", "b": [true] }', 'json')
    expect(root.entries.map(({ key, keyAt, value }) => [key, keyAt, value.at, value.end])).toEqual([
      ['b', 2, 7, 8],
      ['1', 11, 16, 19],
      ['b', 21, 26, 32],
    ])
  })

  test('reads whatever JSON.stringify writes', async () => {
    await fc.assert(
      fc.asyncProperty(fc.dictionary(fc.string(), fc.jsonValue()), async value => {
        const text = JSON.stringify(value)
        expect(toJson((await treeOf(text, 'json')).root)).toEqual(JSON.parse(text))
        expect(toJson((await treeOf(text, 'json5')).root)).toEqual(JSON.parse(text))
      }),
    )
  })

  test('JSON5 adds comments, bare keys, other quotes and numbers, trailing commas and line continuation', async () => {
    const { root } = await treeOf("{ // c\n a: 0x1F, $b: +4, 'c': [.5, 5., 'it\\\ns',], /* d */ e: NaN }", 'json5')
    expect(toJson(root)).toEqual({ a: 31, $b: 4, c: [0.5, 5, 'its'], e: null })
  })

  test.each([
    ['{"a": 1,}', 'json', 9],
    ['{a: 1}', 'json', 2],
    ["{'a': 1}", 'json', 2],
    ['{"a": 01}', 'json', 7],
    ['{"a": +1}', 'json', 7],
    ['{"a": 1} // x', 'json', 10],
    ['{"a": "x\ty"}', 'json', 9],
    ['{"a": "\\x41"}', 'json', 8],
    ['{"a": "open}', 'json', 7],
    ['{"a" 1}', 'json', 6],
    ['{"a": }', 'json', 7],
    ['{"a": 1', 'json', 8],
    ['{a: nul}', 'json5', 5],
    ['{a: 1 b: 2}', 'json5', 7],
  ] as const)('refuses %j as %s at column %i', async (text, format, column) => {
    expect(await faultOf(text, format)).toMatchObject({ code: 'syntax', line: 1, column })
  })
})

describe('readKdl()', () => {
  test('reads raw strings of KDL 1 beside those of KDL 2, and keeps the positions behind them', async () => {
    const { root } = await treeOf('description r"a\\b"\nproject r#"say "hi""#\nuser #"c"#\nname 5\n', 'kdl')
    expect(toJson(root)).toMatchObject({ description: 'a\\b', project: 'say "hi"', user: 'c', name: 5 })
    expect(nodeOf(root, 'name')?.at).toBe(57)
  })

  test('leaves text that looks like a raw string alone inside strings and comments', async () => {
    const { root } = await treeOf('// r"x\n/* r#" /* */ */ name "r\\"x r\\"" \ndescription """\n  r"y\n  """\n', 'kdl')
    expect(toJson(root)).toEqual({ name: 'r"x r"', description: 'r"y' })
  })

  test('joins repeated nodes and all their arguments into lists, under either number of the name', async () => {
    const { root } = await treeOf(
      'job "a" { depends_on "b" "c"; depends_on_job "d"; input_file "f"; input_files "g"; label "l" }\njob "z" command="x" depends_on="y"\n',
      'kdl',
    )
    expect(toJson(root)).toEqual({
      jobs: [
        { name: 'a', depends_on: ['b', 'c', 'd'], input_files: ['f', 'g'], labels: ['l'] },
        { name: 'z', command: 'x', depends_on: ['y'] },
      ],
    })
  })

  test('reads numbers by how they are written', async () => {
    const { root } = await treeOf(
      'slurm_defaults { a 1_000; b 0x1F; c 1.0; d -5; e #inf; f "x"; g #null; h #true }',
      'kdl',
    )
    const defaults = nodeOf(root, 'slurm_defaults')
    const kinds = defaults?.kind === 'map' ? defaults.entries.map(({ value }) => value.kind) : []
    expect(kinds).toEqual(['int', 'int', 'float', 'int', 'float', 'text', 'null', 'bool'])
    expect(toJson(defaults!)).toMatchObject({ a: 1000, b: 31, d: -5 })
  })

  test('reads keys that only other formats had: tables, groups, metadata blocks, lists of parameters', async () => {
    const { root } = await treeOf(
      [
        'access_groups "a" "b"',
        'metadata { pi "Noor"; band { low 1; high 2 }; years 2024 2025 }',
        'dynamic_jobs { max_iterations 5 }',
        'variables { v "1" }',
        'user_data "u" { data "{\\"k\\": [1]}"; parameters { i 1 2 } }',
        'job "j" { command "x"; parameters_file "t.csv"; time_limit "PT1M"; retry { max 2; on "oom" "timeout" } }',
      ].join('\n'),
      'kdl',
    )
    expect(toJson(root)).toEqual({
      access_groups: ['a', 'b'],
      metadata: { pi: 'Noor', band: { low: 1, high: 2 }, years: [2024, 2025] },
      dynamic_jobs: { max_iterations: 5 },
      variables: { v: '1' },
      user_data: [{ name: 'u', data: { k: [1] }, parameters: { i: [1, 2] } }],
      jobs: [
        {
          name: 'j',
          command: 'x',
          parameters_file: 't.csv',
          time_limit: 'PT1M',
          retry: { max: 2, on: ['oom', 'timeout'] },
        },
      ],
    })
  })

  test.each([
    ['name "a" "b"', 'unknown_key', 'name'],
    ['name "a" k=1', 'unknown_key', 'name.k'],
    ['name "a" { x }', 'unknown_key', 'name.x'],
    ['job "a" "b"', 'unknown_key', 'jobs[0]'],
    ['name', 'wrong_type', 'name'],
    ['user_data "u" { data "{" }', 'bad_value', 'user_data[0].data'],
  ])('reports what the tree cannot show: %s', async (text, code, path) => {
    const { problems } = await treeOf(text, 'kdl')
    expect(problems.map(problem => [problem.code, problem.place.path])).toEqual([[code, path]])
  })

  test('knows the other spellings of keys', async () => {
    const { root } = await treeOf('name x\njob_sort_method none\njob a { command b; slurm_scheduler s }\n', 'kdl')
    expect(toJson(root)).toEqual({
      name: 'x',
      jobs_sort_method: 'none',
      jobs: [{ name: 'a', command: 'b', scheduler: 's' }],
    })
  })

  test('offers the keyword that KDL 2 wants', async () => {
    expect(await faultOf('name "a"\nuse_pending_failed true\n', 'kdl')).toEqual({
      line: 2,
      column: 20,
      code: 'syntax',
      hint: 'write #true',
    })
  })
})

describe('readSpec()', () => {
  test.each([
    ['flow.json', 'json'],
    ['FLOW.YML', 'yaml'],
    ['a.b/flow.Yaml', 'yaml'],
    ['flow.json5', 'json5'],
    ['flow.kdl', 'kdl'],
    ['flow', undefined],
    ['flow.txt', undefined],
    ['a.kdl/flow', undefined],
  ])('formatOfName(%j) is %s', (name, format) => {
    expect(formatOfName(name)).toBe(format)
  })

  test.each([
    ['{"name": "x", "jobs": []}', 'json'],
    ['{name: "x", jobs: [],}', 'json5'],
    ['name: x\njobs: []\n', 'yaml'],
    ['name "x"\njob "a" { command "a"; }\n', 'kdl'],
  ])('finds the format of %j by trying', async (text, format) => {
    const read = await readSpec(text, { fileName: 'flow' })
    expect('tree' in read && read.tree.format).toBe(format)
  })

  test.each([
    ['{"name": "x", "jobs": [}', 1, 24],
    ['name: x\njobs:\n  - a\n b: 1\n', 4, 2],
    ['name "x"\njob "a" { command true; }\n', 2, 19],
    ['just some text\n', 1, 1],
    ['', 1, 1],
  ])('reports for %j the error of the format that came furthest', async (text, line, column) => {
    const read = await readSpec(text, { fileName: 'flow' })
    expect('diagnostics' in read && read.diagnostics[0]).toMatchObject({ code: 'syntax', line, column })
  })

  test('a known extension is final', async () => {
    const read = await readSpec('name: x\n', { fileName: 'flow.json' })
    expect('diagnostics' in read && read.diagnostics[0]?.code).toBe('syntax')
  })

  test.each(FORMATS)('skips a byte-order mark in %s', async format => {
    const text = { json: '{"name": "x"}', json5: '{name: "x"}', yaml: 'name: x', kdl: 'name "x"' }[format]
    expect(toJson((await treeOf(`\uFEFF${text}`, format)).root)).toEqual({ name: 'x' })
  })

  test.each(FORMATS)('never throws on any text as %s, and points into the text', async format => {
    const pieces = fc.constantFrom(
      ...'{}[]:,"\'#\\/-*&|> \n\t',
      'name',
      'jobs',
      'r#"',
      '"""',
      '/*',
      '*/',
      '/-',
      '0x',
      '1e9',
      '#true',
      'é',
      '😀',
    )
    await fc.assert(
      fc.asyncProperty(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map(parts => parts.join('')),
        ),
        async text => {
          const read = await readSpec(text, { fileName: 'flow', format })
          if ('tree' in read) return
          const { line, column } = read.diagnostics[0]!
          const lines = text.replace(/^\uFEFF/, '').split('\n')
          expect(line).toBeGreaterThanOrEqual(1)
          expect(line).toBeLessThanOrEqual(lines.length)
          expect(column).toBeGreaterThanOrEqual(1)
          expect(column).toBeLessThanOrEqual([...lines[line - 1]!].length + 1)
        },
      ),
      { numRuns: 400 },
    )
  })

  test.each([
    ['json', '['.repeat(200_000)],
    ['json', '{"a":'.repeat(200_000)],
    ['json5', '['.repeat(200_000)],
    ['yaml', `a: ${'['.repeat(50_000)}`],
    ['yaml', '- '.repeat(20_000)],
    ['yaml', Array.from({ length: 2_000 }, (_, depth) => `${' '.repeat(depth)}b:\n`).join('')],
    ['kdl', 'a{'.repeat(100_000)],
  ] as const)('refuses deep nesting in %s', async (format, text) => {
    const read = await readSpec(text, { fileName: 'flow', format })
    expect('diagnostics' in read && read.diagnostics[0]?.message).toBe('the file is nested too deeply')
  })

  test('refuses aliases that grow tenfold per line', async () => {
    const lines = [...'bcdefghijk'].map(
      (name, index) => `${name}: &${name} [${Array(10).fill(`*${'abcdefghij'[index]}`)}]`,
    )
    const text = ['a: &a [1,2,3,4,5,6,7,8,9,0]', ...lines].join('\n')
    const read = await readSpec(text, { fileName: 'flow.yaml' })
    expect('diagnostics' in read && read.diagnostics[0]?.message).toBe('aliases make the file too large')
  })

  test.each([
    ['kdl', `name "${'a'.repeat(1_000_000)}`],
    ['kdl', `name ${'##"a '.repeat(200_000)}`],
    ['kdl', '/*'.repeat(200_000)],
    ['json5', `${' '.repeat(2_000_000)}{`],
    ['json5', `${'/* x */ '.repeat(200_000)}{`],
    ['json5', `{a: "${'x'.repeat(2_000_000)}`],
  ] as const)('reads long text in %s without running out of stack', async (format, text) => {
    expect(await faultOf(text, format)).toMatchObject({ code: 'syntax' })
  })
})
