import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ConfigFile, readConfigFiles } from '../../runner/config/files.ts'
import { fill } from '../../runner/config/fill.ts'
import { parseConfig } from '../../runner/config/parse.ts'
import { resolveSettings } from '../../runner/config/resolve.ts'
import { SETTINGS, variablesOf } from '../../runner/config/settings.ts'
import { renderTemplate } from '../../runner/config/template.ts'
import { openProgram } from './program.ts'

let directory: string
beforeEach(() => {
  directory = realpathSync(mkdtempSync(join(tmpdir(), 'headrace-config-')))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const file = (level: ConfigFile['level'], text: string): ConfigFile => ({ level, path: `/etc/${level}.toml`, text })

describe('parseConfig()', () => {
  test('reads texts of both kinds, numbers and truth values, past comments and blank lines', () => {
    const text = `# a comment\n\nurl = "http://h:1/#a" # the server\nhost='b\\c'\n num-cpus = 8\novercommit = true\n`
    expect(parseConfig(text, 'f').map(({ key, value, line }) => [key, value, line])).toEqual([
      ['url', 'http://h:1/#a', 3],
      ['host', 'b\\c', 4],
      ['num-cpus', '8', 5],
      ['overcommit', 'true', 6],
    ])
  })

  test.each([
    ['[run]', 'Cannot read f:1 as a line must be `name = value`: [run]'],
    ['url', 'Cannot read f:1 as a line must be `name = value`: url'],
    ['url = ', 'Cannot read f:1 as url must be a text in quotes, a number, true or false'],
    ['url = "open', 'Cannot read f:1 as url must be a text in quotes, a number, true or false'],
    ['url = a b', 'Cannot read f:1 as url must be a text in quotes, a number, true or false'],
    ['url = "\\q"', 'Cannot read f:1 as its text has an escape that is none: "\\q"'],
  ])('refuses %j with file and line', (text, message) => {
    expect(() => parseConfig(text, 'f')).toThrow(message)
  })
})

describe('resolveSettings()', () => {
  test('lets the environment go before the project, the user and the system', () => {
    const files = [
      file('system', 'num-cpus = 1\nnum-gpus = 1\nport = 1\nhost = "a"'),
      file('user', 'num-cpus = 2\nnum-gpus = 2\nport = 2'),
      file('project', 'num-cpus = 3\nnum-gpus = 3'),
    ]
    const resolved = resolveSettings(files, { HEADRACE_NUM_CPUS: '4', HEADRACE_NUM_GPUS: '' })
    expect(Object.fromEntries([...resolved].map(([name, { value, source }]) => [name, [value, source]]))).toEqual({
      'num-cpus': ['4', 'HEADRACE_NUM_CPUS'],
      'num-gpus': ['3', '/etc/project.toml:2'],
      port: ['2', '/etc/user.toml:3'],
      host: ['a', '/etc/system.toml:4'],
    })
  })

  test('takes a path in a file from where the file is', () => {
    const resolved = resolveSettings([file('project', 'output-dir = "out"\ndb = "/local/x.db"')], {})
    expect(resolved.get('output-dir')!.value).toBe('/etc/out')
    expect(resolved.get('db')!.value).toBe('/local/x.db')
  })

  test('asks for the server by the names of Headrace and of Torc, in this order', () => {
    const env = { HEADRACE_API_URL: 'http://ours', TORC_API_URL: 'http://torcs' }
    expect(resolveSettings([], env).get('url')!.value).toBe('http://ours')
    expect(resolveSettings([], { TORC_API_URL: env.TORC_API_URL }).get('url')!.value).toBe('http://torcs')
  })

  test('refuses a setting that is none, with the nearest', () => {
    expect(() => resolveSettings([file('user', '\nnum-cpu = 2')], {})).toThrow(
      'Cannot use num-cpu of /etc/user.toml:2 as it is unknown: did you mean "num-cpus"?',
    )
    expect(() => resolveSettings([file('user', 'constructor = 2')], {})).toThrow('as it is unknown')
  })
})

describe('fill()', () => {
  const names = ['url', 'db', 'num-cpus', 'overcommit', 'format']

  test('gives what the command line does not say', () => {
    const parsed: Record<string, unknown> = { 'num-cpus': '1' }
    fill(parsed, names, resolveSettings([file('user', 'num-cpus = 2\nformat = "json"\novercommit = true')], {}))
    expect(parsed).toEqual({ 'num-cpus': '1', format: 'json', overcommit: true })
  })

  test('takes url or db, whichever is said closer to the command', () => {
    const filled = (parsed: Record<string, unknown>, files: ConfigFile[], env: NodeJS.ProcessEnv) => {
      fill(parsed, names, resolveSettings(files, env))
      return parsed
    }
    const project = file('project', 'db = "/p.db"')
    expect(filled({ db: 'x.db' }, [], { HEADRACE_API_URL: 'http://e' })).toEqual({ db: 'x.db' })
    expect(filled({}, [project], { HEADRACE_API_URL: 'http://e' })).toEqual({ url: 'http://e' })
    expect(filled({}, [file('user', 'url = "http://u"'), project], {})).toEqual({ db: '/p.db' })
  })

  test('names the source of a value that cannot be understood, only to commands that use it', () => {
    const resolved = resolveSettings([file('project', '\nnum-cpus = "many"')], { HEADRACE_PORT: 'tcp://10.0.0.1:8080' })
    expect(() => fill({}, ['num-cpus'], resolved)).toThrow(
      'Cannot read num-cpus of /etc/project.toml:2 as it must be a whole number >= 1: current value is many',
    )
    expect(() => fill({}, ['format'], resolved)).not.toThrow()
  })
})

describe('readConfigFiles()', () => {
  test('finds the nearest project file above, after those of the system and the user', () => {
    const below = join(directory, 'a', 'b')
    mkdirSync(below, { recursive: true })
    for (const name of ['system', 'user', 'headrace.toml', 'a/headrace.toml'])
      writeFileSync(join(directory, name), `# ${name}`)
    const found = readConfigFiles({ system: join(directory, 'system'), user: join(directory, 'user'), cwd: below })
    expect(found.map(({ level, text }) => [level, text])).toEqual([
      ['system', '# system'],
      ['user', '# user'],
      ['project', '# a/headrace.toml'],
    ])
  })

  test('refuses a file that is none', () => {
    expect(() => readConfigFiles({ system: directory, user: '/nowhere', cwd: directory })).toThrow(
      `Cannot read the configuration file ${directory}: EISDIR`,
    )
  })
})

test('renderTemplate() names every setting, and every line of it can be used', () => {
  const text = renderTemplate()
  const used = text.replace(/^# ([a-z-]+ = )/gm, '$1')
  const resolved = resolveSettings([file('project', used)], {})
  expect([...resolved.keys()]).toEqual(Object.keys(SETTINGS))
  for (const name of Object.keys(SETTINGS)) expect(text).toContain(variablesOf(name)[0])
})

test('a project file and the environment count for commands, and config show names them', async () => {
  const program = openProgram()
  try {
    writeFileSync(join(program.directory, 'headrace.toml'), 'url = "http://127.0.0.1:1"\nformat = "json"\n')
    const show = await program.run(['config', 'show'])
    const url = JSON.parse(show.stdout).items.find((item: { name: string }) => item.name === 'url')
    expect(url).toMatchObject({ value: 'http://127.0.0.1:1', source: expect.stringMatching(/headrace\.toml:1$/) })
    const list = (env: NodeJS.ProcessEnv, ...words: string[]) => program.run(['list', ...words], env)
    expect((await list({})).stderr).toContain('http://127.0.0.1:1/v1')
    expect((await list({ HEADRACE_API_URL: 'http://127.0.0.1:2' })).stderr).toContain('http://127.0.0.1:2/v1')
    expect((await list({}, '--url', 'http://127.0.0.1:3')).stderr).toContain('http://127.0.0.1:3/v1')
    expect((await list({}, '--db', 'none.db')).stderr).toContain('none.db does not exist')
  } finally {
    program.close()
  }
})

test('runner config init writes a file once', async () => {
  const program = openProgram()
  try {
    expect((await program.run(['config', 'init'])).code).toBe(0)
    expect((await program.run(['config', 'init'])).code).toBe(3)
    expect((await program.run(['config', 'init', '--force'])).code).toBe(0)
    const home = { XDG_CONFIG_HOME: join(program.directory, 'home') }
    expect((await program.run(['config', 'init', '--user'], home)).stdout).toContain('home/headrace/config.toml')
    expect(JSON.parse((await program.run(['config', 'paths', '--format', 'json'], home)).stdout).count).toBe(2)
  } finally {
    program.close()
  }
})
