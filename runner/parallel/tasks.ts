import { readCommandLines } from '../../api/core/spec/exec.ts'
import { usageError } from '../command-line/error.ts'
import { STANDARD_INPUT } from '../standard-input.ts'
import { readTextFile } from '../text-file.ts'
import { combineInputs, cutValues, parseInputs, type Source } from './inputs.ts'
import type { Task } from './jobs.ts'
import { createTemplate } from './template.ts'

export type TaskFlags = {
  command: readonly string[]
  inputs: readonly string[]
  argFiles: readonly string[]
  /** A file whose lines are the commands. */
  commandsFile: string | undefined
  /** What ends a value in a file. */
  valueEnd: string
  colsep: string | undefined
  /** So many lists of values for one command. */
  maxArgs: number
  link: boolean
  skipBlank: boolean
  quote: boolean
}

/** Reads all inputs and makes the tasks, numbered from 1. Throws a usage error where the words make no sense together. */
export function readTasks(flags: TaskFlags): Task[] {
  if (flags.commandsFile !== undefined) return readCommandsFile(flags.commandsFile, flags)
  const files = flags.argFiles.map((path): Source => ({ kind: 'file', path, isLinked: false }))
  const given = [...files, ...parseInputs(flags.inputs)]
  const sources: Source[] = given.length > 0 ? given : [{ kind: 'file', path: STANDARD_INPUT, isLinked: false }]
  if (sources.filter(source => source.kind === 'file' && source.path === STANDARD_INPUT).length > 1) {
    throw usageError('Cannot read standard input twice')
  }
  const combined = combineInputs(
    sources.map(source => ({ values: readSource(source, flags.valueEnd), isLinked: source.isLinked })),
    flags.link,
  )
  const { render, usesSlot } = createTemplate(flags.command, flags.quote)
  const cut = createCutter(flags.colsep)
  const lists = combined
    .map(values => values.flatMap(cut))
    .filter(values => !flags.skipBlank || values.some(value => value.trim() !== ''))
  return joinLists(lists, flags.maxArgs).map((values, index) => {
    const item = { seq: index + 1, values }
    return { ...item, command: render(item), usesSlot }
  })
}

/** So many lists in one each; the last may have fewer. */
function joinLists(lists: readonly string[][], many: number): string[][] {
  if (many === 1) return [...lists]
  return Array.from({ length: Math.ceil(lists.length / many) }, (_, index) =>
    lists.slice(index * many, (index + 1) * many).flat(),
  )
}

function readCommandsFile(path: string, { command, inputs, argFiles }: TaskFlags): Task[] {
  const stray = command[0] ?? inputs[0] ?? argFiles[0]
  if (stray !== undefined)
    throw usageError(`Cannot use ${stray} with --commands: the lines of the file are the commands`)
  return readCommandLines(readTextFile(path, 'commands')).map((line, index) => ({
    seq: index + 1,
    values: [line],
    command: line,
    usesSlot: false,
  }))
}

function readSource(source: Source, valueEnd: string): string[] {
  return source.kind === 'values' ? source.values : cutValues(readTextFile(source.path, 'values'), valueEnd)
}

function createCutter(colsep: string | undefined): (value: string) => string[] {
  if (colsep === undefined) return value => [value]
  const separator = toRegExp(colsep)
  return value => value.split(separator)
}

function toRegExp(text: string): RegExp {
  try {
    return new RegExp(text)
  } catch {
    throw usageError(`Cannot read --colsep as it is no regular expression: current value is ${text}`)
  }
}
