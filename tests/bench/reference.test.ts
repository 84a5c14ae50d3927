import { expect, test } from 'vitest'
import { makefileOf } from '../../scripts/bench/reference/makefile.ts'
import { stagesOf } from '../../scripts/bench/reference/stages.ts'

const PREPARE = { command: 'echo $HOME > a', inputs: [], outputs: ['a'] }
const LEFT = { command: 'cat a > b', inputs: ['a'], outputs: ['b'] }
const RIGHT = { command: 'cat outside a > c', inputs: ['outside', 'a'], outputs: ['c'] }
const JOIN = { command: 'cat a b c > d', inputs: ['a', 'b', 'c'], outputs: ['d'] }
const LONE = { command: 'echo > e', inputs: [], outputs: ['e'] }

test('makefileOf() makes a rule of every job and leaves dollars to the shell', () => {
  expect(makefileOf([PREPARE, JOIN])).toBe(
    [
      'SHELL := /bin/bash',
      '.PHONY: all',
      'all: a d',
      'a: ',
      '\techo $$HOME > a',
      'd: a b c',
      '\tcat a b c > d',
      '',
    ].join('\n'),
  )
})

test('stagesOf() puts each job behind the last of those whose files it reads', () => {
  expect(stagesOf([PREPARE, LEFT, RIGHT, JOIN, LONE])).toEqual([[PREPARE, LONE], [LEFT, RIGHT], [JOIN]])
})
