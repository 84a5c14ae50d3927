import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { createTemplate } from '../../runner/parallel/template.ts'

const render = (words: string[], values: string[], { seq = 7, quote = false } = {}) =>
  createTemplate(words, quote).render({ seq, values })

/** The words that a shell makes of a command. */
const wordsOf = (command: string): string[] =>
  execFileSync('bash', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)

describe('createTemplate()', () => {
  test.each([
    ['{}', 'a/b.tar.gz', 'a/b.tar.gz'],
    ['{.}', 'a/b.tar.gz', 'a/b.tar'],
    ['{.}', 'a.b/c', 'a.b/c'],
    ['{.}', 'a.b/.c', 'a.b/'],
    ['{/}', 'a/b.tar.gz', 'b.tar.gz'],
    ['{/}', 'plain', 'plain'],
    ['{//}', 'a/b.tar.gz', 'a'],
    ['{//}', 'plain', '.'],
    ['{//}', '/x', '/'],
    ['{//}', '/', '/'],
    ['{//}', 'a/b/', 'a'],
    ['{//}', 'a//b', 'a'],
    ['{/.}', 'a/b.tar.gz', 'b.tar'],
    ['{#}', 'x', '7'],
    ['{1}-{2}', 'x', 'x-'],
    ['{0}', 'x', ''],
  ])('%s of %s is %s', (mark, value, result) => {
    expect(render([mark], [value])).toBe(result)
  })

  test('takes values by position, with the same changes', () => {
    expect(render(['cp', '{2}', '{1/.}.out'], ['in/a.dat', 'b'])).toBe('cp b a.out')
  })

  test('counts positions back from the end as well', () => {
    expect(render(['{-1} {-2.} {-3}'], ['a.b', 'c'])).toBe('c a ')
  })

  test('refuses Perl', () => {
    expect(() => render(['echo', '{= $_=uc =}'], ['a'])).toThrow('Cannot replace {= $_=uc =}')
  })

  test('puts all values in where no position is named', () => {
    expect(render(['echo', '{}', '{/}'], ['x/a', 'y/b'])).toBe('echo x/a y/b a b')
  })

  test('adds the values at the end of a command without a mark, and runs values without a command', () => {
    expect(render(['echo', 'hi'], ['a', 'b'])).toBe('echo hi a b')
    expect(render([], ['echo a | cat'])).toBe('echo a | cat')
  })

  test('quotes values, so that the shell gets them as they are', () => {
    const odd = [`it's`, 'a  b', '$HOME', 'x;y', '', '*', 'a\nb', '"']
    expect(wordsOf(render(['{}'], odd))).toEqual(odd)
  })

  test('leaves the command to the shell, or quotes it word by word on wish', () => {
    expect(render(['echo $X; ls', '{}'], ['a'])).toBe('echo $X; ls a')
    expect(wordsOf(render(['a  b', '$X{}.{#}', ''], ['v w'], { quote: true }))).toEqual(['a  b', '$Xv w.7', ''])
  })

  test('does not look for marks in values', () => {
    expect(render(['{}', '{2}'], ['{2}', '{#}'])).toBe(`'{2}' '{#}' '{#}'`)
  })

  test('tells whether the slot is wanted, which a value cannot ask for', () => {
    expect(createTemplate(['echo', '{%}'], false).usesSlot).toBe(true)
    const plain = createTemplate(['echo'], false)
    expect(plain.usesSlot).toBe(false)
    expect(plain.render({ seq: 1, values: ['{%}'] })).toBe(`echo '{%}'`)
  })
})
