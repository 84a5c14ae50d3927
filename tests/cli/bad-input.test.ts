import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { CommandError } from '../../runner/command-line/error.ts'
import type { Verb } from '../../runner/command-line/verb.ts'
import { startLocalServer } from '../../runner/local-server.ts'
import { VERBS } from '../../runner/verbs.ts'
import { collectVerbs } from '../../scripts/cli-docs/collect.ts'
import { serve } from './http-server.ts'

/**
 * Every command against what people get wrong. An example of each is a command line that could work. What hands its words on to
 * another program is that program's to test.
 */
const verbs = (await collectVerbs(VERBS)).filter(({ verb }) => !verb.passesWordsOn)

/** Nobody listens on this port of loopback. */
const NOBODY = 'http://127.0.0.1:1'

/** Commands that look at files or this machine before they ask anybody, or tell trouble as their result. */
const ASKS_LATE =
  /^(run|create|submit|exec-spec|parallel|doctor|import|completions|node|relay|reconcile|jobs create-from-file|pipe (restore|work))/

/** What their words name is made by them, may have nothing, or is no object; or they want a server that others can reach. */
const NAMES_NOTHING_OLD =
  /^(access-groups (create|list-user-groups)|admin|tokens create|start|remote run|allocate start|pipe (start|reconcile))/

const asking = verbs.filter(({ words, verb }) => verb.args.url !== undefined && !ASKS_LATE.test(words))

let directory: string
const before = process.cwd()

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'headrace-bad-'))
  process.chdir(directory)
  writeFileSync('limits.json', '{}')
  // Where logs are looked for before anybody is asked.
  mkdirSync('headrace_output')
  for (const name of ['HEADRACE_API_URL', 'TORC_API_URL', 'HEADRACE_TOKEN', 'TORC_PASSWORD']) vi.stubEnv(name, '')
  vi.spyOn(process.stdout, 'write').mockReturnValue(true)
  vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterAll(() => {
  process.chdir(before)
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
  rmSync(directory, { recursive: true, force: true })
})

describe('every command', () => {
  test.each(verbs)('$words refuses an unknown option in one line, exit code 2', async ({ verb }) => {
    expect(await troubleOf(verb, ['--nonsense'])).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(ONE_LINE),
    })
  })

  test.each(verbs.filter(({ verb }) => verb.args.format?.type === 'string'))(
    '$words refuses a format that is none, exit code 2',
    async ({ words, verb }) => {
      const trouble = await troubleOf(verb, [...exampleOf(words, verb), '--format', 'xml'])
      expect(trouble).toMatchObject({ exitCode: 2, message: expect.stringContaining('xml') })
      expect(trouble.message).toMatch(ONE_LINE)
    },
  )

  test.each(verbs.filter(({ verb }) => needsWords(verb)))('$words names the word that is missing', async ({ verb }) => {
    expect(await troubleOf(verb, [])).toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^Cannot go on without /),
    })
  })
})

describe('every command that asks a control plane', () => {
  // Each tries three times, with pauses; so they pause together.
  test.concurrent.each(asking)('$words says that no server answers, exit code 3', async ({ words, verb }) => {
    const trouble = await troubleOf(verb, [...exampleOf(words, verb), '--url', NOBODY])
    expect(trouble).toMatchObject({ exitCode: 3, message: expect.stringContaining(`${NOBODY}/v1`) })
    expect(trouble.message).toMatch(ONE_LINE)
  })

  test.each(asking)('$words says that it is not allowed in, exit code 3', async ({ words, verb }) => {
    const url = await serve((_, response) => {
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":{"message":"no"}}')
    })
    const trouble = await troubleOf(verb, [...exampleOf(words, verb), '--url', url])
    expect(trouble).toMatchObject({ exitCode: 3, message: expect.stringContaining('HEADRACE_TOKEN') })
    expect(trouble.message).toMatch(ONE_LINE)
  })

  test.each(asking)('$words says that it may not, exit code 3', async ({ words, verb }) => {
    const url = await serve((_, response) => {
      response.writeHead(403, { 'content-type': 'application/json' }).end('{"error":{"message":"Not yours"}}')
    })
    const trouble = await troubleOf(verb, [...exampleOf(words, verb), '--url', url])
    expect(trouble).toMatchObject({ exitCode: 3, message: expect.stringContaining('Not yours') })
  })

  test.each(asking.filter(({ words, verb }) => namesSomething(verb) && !NAMES_NOTHING_OLD.test(words)))(
    '$words says that there is nothing of this id, exit code 3',
    async ({ words, verb }) => {
      const server = await startLocalServer({ dbPath: join(directory, 'empty', 'headrace.db'), durability: 'process' })
      await server.close()
      const trouble = await troubleOf(verb, [...exampleOf(words, verb), '--output-dir', 'empty'])
      expect(trouble).toMatchObject({ exitCode: 3, message: expect.stringMatching(/not found|[Cc]annot find/) })
      expect(trouble.message).toMatch(ONE_LINE)
    },
  )
})

const ONE_LINE = /^Cannot [^\n]+$/

/** How a command refused; fails when it did not, or with anything but an error for people. */
async function troubleOf(verb: Verb, words: string[]): Promise<CommandError> {
  const outcome = await verb.run(words).catch((error: unknown) => error)
  if (outcome instanceof CommandError) return outcome
  throw new Error(`It ended with ${outcome instanceof Error ? outcome.stack : outcome} for ${words.join(' ')}`)
}

/** The words of a command's first example, without its name. Quotes hold words together, as in a shell. */
function exampleOf(words: string, verb: Verb): string[] {
  const text = verb.examples[0]!
  const parts = [...text.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(match => match[1] ?? match[2] ?? match[3]!)
  const own = words.split(' ')
  // An alias has the example of the short name, or of a group of another one.
  return parts.slice(parts[own.length - 1] === own.at(-1) ? own.length : 1)
}

const positionals = (verb: Verb) => Object.values(verb.args).filter(({ type }) => type === 'positional')
const needsWords = (verb: Verb): boolean => positionals(verb).some(({ required }) => required !== false)
const namesSomething = (verb: Verb): boolean => positionals(verb).length > 0
