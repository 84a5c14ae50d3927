import { allValues, checkArguments, readArguments } from '../command-line/arguments.ts'
import { usageError } from '../command-line/error.ts'
import { countFlag } from '../command-line/flags.ts'
import { print } from '../command-line/output.ts'
import type { ExitCode, Verb } from '../command-line/verb.ts'
import { PARALLEL_ARGS, splitWords } from '../parallel/arguments.ts'
import { parseHalt } from '../parallel/halt.ts'
import { readJoblog } from '../parallel/joblog.ts'
import type { Task } from '../parallel/jobs.ts'
import { runTasks } from '../parallel/run.ts'
import { readTasks } from '../parallel/tasks.ts'
import { SLOT } from '../parallel/template.ts'
import { timeoutFlag } from '../parallel/timeout.ts'
import { tuneEngine } from '../tune-engine.ts'

const verb: Verb = {
  about:
    "Run a command once for each value, as GNU parallel does: its words, its replacements and its job log. Output is printed as each job ends. Exit code: how many jobs failed (101: more than 100); when --halt stops the run at the first such job, that job's own; with a share in --halt, the failures in per cent.",
  args: PARALLEL_ARGS,
  examples: [
    "parallel -j4 'gzip -k {}' ::: *.csv",
    'parallel --tag convert {} {.}.png ::: a.tif b.tif',
    'parallel --joblog log --resume-failed simulate --seed {1} --case {2} ::: 1 2 3 :::: cases.txt',
    'parallel -n2 --jobs 50% merge {1} {2} :::: pairs.txt',
    'parallel --commands commands.txt --keep-order',
  ],
  exitCodes: { 101: 'more than 100 jobs failed' },
  run,
}

export default verb

async function run(rawArgs: string[]): Promise<ExitCode> {
  tuneEngine()
  const { options, command, inputs } = splitWords(rawArgs)
  checkArguments(PARALLEL_ARGS, options)
  const args = readArguments(PARALLEL_ARGS, options)
  const retries = countFlag('--retries', args.retries, 1) ?? 1
  const timeoutSeconds = timeoutFlag(args.timeout)
  const halt = parseHalt(args.halt)
  const resumes = args.resume === true || args['resume-failed'] === true
  const logPath = args.joblog?.replace(/^\+/, '')
  if (resumes && logPath === undefined) throw usageError('Cannot resume without --joblog: it tells what is done')

  const tasks = readTasks({
    command,
    inputs,
    argFiles: allValues(PARALLEL_ARGS, options, 'arg-file'),
    commandsFile: args.commands,
    valueEnd: args.null ? '\0' : valueEndFlag(args.delimiter),
    colsep: args.colsep,
    maxArgs: countFlag('--max-args', args['max-args'], 1) ?? 1,
    link: args.link === true,
    skipBlank: args['no-run-if-empty'] === true,
    quote: args.quote === true,
  })
  const done =
    resumes && logPath !== undefined ? readJoblog(logPath, args['resume-failed'] === true) : new Set<number>()
  const left = tasks.filter(task => !done.has(task.seq))
  if (args['dry-run']) {
    if (left.length > 0) print(left.map(shownCommand).join('\n'))
    return 0
  }
  return runTasks(left, {
    flags: args,
    jobs: args.jobs,
    retries,
    timeoutSeconds,
    halt,
    joblog: logPath === undefined ? undefined : { path: logPath, keep: resumes || args.joblog!.startsWith('+') },
    keepOrder: args['keep-order'] === true,
    tag: args.tag === true,
    bar: args.bar === true,
    isLauncherFile: args.commands !== undefined,
  })
}

/** The sign itself, or `\t`, `\n` and `\0` as they are written in shells. */
function valueEndFlag(text: string | undefined): string {
  if (text === '') throw usageError('Cannot read --delimiter as it must not be empty')
  return WRITTEN_ENDS.get(text ?? '\\n') ?? text!
}

const WRITTEN_ENDS: ReadonlyMap<string, string> = new Map([
  ['\\n', '\n'],
  ['\\t', '\t'],
  ['\\0', '\0'],
])

/** Nothing runs, so the first slot is as good as any. */
const shownCommand = ({ command, usesSlot }: Task): string => (usesSlot ? command.replaceAll(SLOT, '1') : command)
