import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Matcher } from '../../api/core/spec/env.ts'
import { addName, createNameIndex } from '../../api/core/spec/names.ts'
import {
  asciiForm,
  asLiteral,
  escapePattern,
  likelyNeedsEngine,
  repeatCount,
  splitPattern,
} from '../../api/core/spec/pattern.ts'
import { createSelector, SELECTION_BUDGET } from '../../api/core/spec/selectors.ts'
import { loadSpec } from '../../api/spec/load.ts'
import { loadMatcher } from '../../api/spec/matcher.ts'

let matcher: Matcher

beforeAll(async () => {
  matcher = await loadMatcher()
})

function indexOf(names: string[]) {
  const index = createNameIndex()
  for (const name of new Set(names)) addName(index, name)
  return index
}

function select(names: string[], pattern: string): string[] {
  const index = indexOf(names)
  const selection = createSelector(index, matcher, { left: SELECTION_BUDGET })(pattern)
  if ('fault' in selection) throw new Error(selection.fault.message)
  return selection.indices.map(at => index.names[at]!)
}

/** What the engine alone says, without any short cut. */
function selectByEngine(names: string[], pattern: string): string[] | undefined {
  const compiled = matcher.compile(pattern)
  return 'message' in compiled ? undefined : [...new Set(names)].filter(compiled.test)
}

describe('createSelector()', () => {
  test.each([
    ['', ['a', 'b'], ['a', 'b']],
    ['track_1', ['track_1', 'track_10', 'retrack_1', 'TRACK_1'], ['track_1', 'track_10', 'retrack_1']],
    ['^a|b$', ['ax', 'xb', 'xbx'], ['ax', 'xb']],
    ['(?i)^TRACK', ['track', 'x'], ['track']],
    ['(?x) ^ a  b $ # comment', ['ab', 'a b'], ['ab']],
    ['(?P<n>a)+$', ['baa', 'ab'], ['baa']],
    ['^\\d$', ['٣', '3', 'x'], ['٣', '3']],
    ['\\bé', ['é', 'xé', 'x é'], ['é', 'x é']],
    ['a$', ['a', 'a\n'], ['a']],
    ['\\Aa\\z', ['a', 'ab'], ['a']],
    ['^run\\b_x', ['run_x'], []],
    ['^a?b', ['b', 'ab', 'xb'], ['b', 'ab']],
    ['^a+*', ['', 'b'], ['', 'b']],
    ['^ab{0}c', ['ac', 'abc'], ['ac']],
    ['^[[a](]|x', ['(', 'bx', 'c'], ['(', 'bx']],
    ['^a.$', ['a\r', 'a\n', 'ab'], ['a\r', 'ab']],
    ['^x_[0-9a-f]+$', ['x_1f', 'x_', 'x_g'], ['x_1f']],
    ['^\\d+$', ['12', '1٣', '٣'], ['12', '1٣', '٣']],
  ])('%s selects as the language of the patterns says', (pattern, names, selected) => {
    expect(select(names, pattern).sort()).toEqual([...selected].sort())
  })

  const piece = fc.constantFrom(
    'a',
    'b',
    '_',
    '1',
    'é',
    '.',
    '\\.',
    '\\d',
    '\\w',
    '\\s',
    '\\W',
    '\\b',
    '^',
    '$',
    '*',
    '?',
    '+',
    '|',
    '-',
    '(',
    ')',
    '(?:',
    '(?i)',
    '[ab]',
    '[^a]',
    '[',
    ']',
    '{2}',
  )
  const pattern = fc.array(piece, { maxLength: 7 }).map(parts => parts.join(''))
  const plainPiece = fc.constantFrom('a', 'b', '1', '_', '.', '\\.', '\\d', '\\w', '[a-z]', '[0-9_]', '-')
  const plainPattern = fc
    .tuple(
      fc.array(plainPiece, { maxLength: 4 }),
      fc.constantFrom('', '+', '*', '?'),
      fc.constantFrom('', 'b', '$', '.$'),
    )
    .map(([parts, repeat, end]) => `^${parts.join('')}${parts.length > 0 ? repeat : ''}${end}`)
  const namesOf = (letters: string) =>
    fc.array(
      fc.array(fc.constantFrom(...letters), { maxLength: 5 }).map(parts => parts.join('')),
      { maxLength: 12 },
    )

  test.each([
    ['of ASCII', 'ab_1 -\r\n'],
    ['of any letters', 'ab_1é'],
  ])('selects from names %s what the engine alone selects, whatever short cut it takes', (_, letters) => {
    fc.assert(
      fc.property(
        namesOf(letters),
        fc.oneof(
          pattern,
          pattern.map(text => `^a${text}`),
          plainPattern,
        ),
        (candidates, text) => {
          const expected = selectByEngine(candidates, text)
          if (expected === undefined) expect(() => select(candidates, text)).toThrow()
          else expect(select(candidates, text).sort()).toEqual(expected.sort())
        },
      ),
      { numRuns: 500 },
    )
  })

  test.each(['(?=a)', '(?<!a)b', '(a)\\1', '(', '[z-a]', 'a{2,1}', '*a', '\\q'])('%s is refused', pattern => {
    expect(() => select(['a'], pattern)).toThrow('cannot be used')
  })

  test('tells where a pattern goes wrong, in UTF-16 units', () => {
    const selection = createSelector(indexOf(['a']), matcher, { left: SELECTION_BUDGET })('^😀é(run')
    expect('fault' in selection && selection.fault).toMatchObject({ at: 4 })
  })

  test('gives up with the way out when patterns cost too much', () => {
    const names = indexOf(Array.from({ length: 1_000 }, (_, index) => `a${index}`))
    const selectNext = createSelector(names, matcher, { left: 20_000 })
    const faults = Array.from({ length: 10 }, (_, index) => selectNext(`\\w${index}$`)).filter(
      result => 'fault' in result,
    )
    expect(faults[0]?.fault.message).toContain('begin them with ^')
  })

  test('compiles the common rest of patterns once, whatever text they begin with', () => {
    const names = indexOf(Array.from({ length: 2_000 }, (_, index) => `calls_${index}_chr1`))
    const compiled: string[] = []
    const counting: Matcher = {
      compile(pattern) {
        compiled.push(pattern)
        return matcher.compile(pattern)
      },
    }
    const selectNext = createSelector(names, counting, { left: 50_000 })
    for (let index = 0; index < 2_000; index++) {
      expect(selectNext(`^calls_${index}_chr\\d+x?$`)).toEqual({ indices: [index] })
    }
    expect(new Set(compiled).size).toBe(1)
  })
})

describe('escapePattern()', () => {
  test('makes any text match itself and nothing else', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.string(), (text, other) => {
        const compiled = matcher.compile(`^(?x:${escapePattern(text)})$`)
        if ('message' in compiled) throw new Error(compiled.message)
        expect(compiled.test(text)).toBe(true)
        expect(compiled.test(other)).toBe(other === text)
      }),
    )
  })
})

describe('asLiteral()', () => {
  test('sees a literal between anchors, escapes undone', () => {
    expect(asLiteral('^v1\\.0\\x{20}x$')).toEqual({ text: 'v1.0 x', atStart: true, atEnd: true })
    expect(asLiteral('a.b')).toBeUndefined()
    expect(asLiteral('\\d')).toBeUndefined()
  })
})

describe('splitPattern()', () => {
  test('cuts behind the literal only where the rest cannot look back', () => {
    expect(splitPattern('^ab\\d+$')).toEqual({ prefix: 'ab', rest: '^\\d+$', skip: 2 })
    expect(splitPattern('^ab\\b.')).toEqual({ prefix: 'ab', rest: '^ab\\b.', skip: 0 })
    expect(splitPattern('^ab*')).toEqual({ prefix: 'a', rest: '^ab*', skip: 0 })
    expect(splitPattern('^ab.|c')).toEqual({ prefix: '', rest: '^ab.|c', skip: 0 })
  })
})

describe('asciiForm()', () => {
  test('replaces classes, but no escaped backslash and no end of a range', () => {
    expect(asciiForm('\\d+[\\w.]\\\\d')).toBe('[0-9]+[[0-9A-Za-z_].]\\\\d')
    expect(asciiForm('[a-\\d]')).toBe('[a-\\d]')
  })
})

describe('repeatCount()', () => {
  test('multiplies the counts of a pattern', () => {
    expect(repeatCount('(a{2,5}b){3}c{2,}')).toBe(30)
    expect(repeatCount('a+b*')).toBe(1)
  })
})

describe('a file with patterns', () => {
  const specOf = (name: string, pattern: string) =>
    JSON.stringify({
      name: 'w',
      jobs: [
        { name, command: 'true' },
        { name: 'last', command: 'true', depends_on_regexes: [pattern] },
      ],
    })
  const load = async (text: string) =>
    await loadSpec(text, { fileName: 'w.json', readText: () => undefined, mtime: () => undefined })

  test.each([
    ['plain over ASCII', 'run_1', '^run_\\d$'],
    ['plain over other names', 'rün_1', '^r.n_\\d$'],
    ['that need the engine', 'run_1', '(?i)^RUN'],
  ])('%s links jobs', async (_, name, pattern) => {
    const { workflow, diagnostics } = await load(specOf(name, pattern))
    expect(diagnostics).toEqual([])
    expect(workflow?.jobs[1]?.dependsOn).toEqual([0])
  })

  test('likelyNeedsEngine() takes places of parameters for plain text', () => {
    expect(['^post_{i:04d}_\\d+$', 'work_{i}', '^a.*'].filter(likelyNeedsEngine)).toEqual([])
    expect(['^a{2}$', '^\\d+_\\d+$', 'a.b', '^(a|b)'].filter(likelyNeedsEngine)).toHaveLength(4)
  })
})
