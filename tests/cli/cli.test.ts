import { once } from 'node:events'
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { VERBS } from '../../runner/verbs.ts'
import { openProgram, type Program } from './program.ts'

let program: Program

beforeAll(() => {
  program = openProgram()
  writeFileSync(join(program.directory, 'flow.yaml'), FLOW)
  writeFileSync(join(program.directory, 'bad.yaml'), BAD)
})
afterAll(() => program.close())

const FLOW = `
name: flow
jobs:
  - { name: first, command: 'true' }
  - { name: second, command: 'true', depends_on: [first] }
`
const BAD = `
name: bad
jobs:
  - { name: first, comand: 'true' }
`

describe('runner', () => {
  test.each([[[]], [['--help']], [['-h']], [['help']], [['help', 'help']]])('%j lists the commands', async words => {
    const { code, stdout } = await program.run(words)
    expect(code).toBe(0)
    for (const name of Object.keys(VERBS)) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'))
  })

  // What hands its words on to another program has that program's help.
  const own = Object.keys(VERBS).filter(name => name !== 'exec')

  test.each(own)('%s --help shows its options and an example', async name => {
    const { code, stdout, stderr } = await program.run([name, '--help'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain(`Usage: runner ${name}`)
    expect(stdout).toMatch(new RegExp(`Examples:\n  runner ${name}|runner ${name} COMMAND --help shows`))
  })

  test('--version prints the version of the package', async () => {
    const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
    expect(await program.run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' })
  })

  test.each([
    [['stauts'], 'Cannot find the command stauts: did you mean status?'],
    [['xyzzy'], 'Cannot find the command xyzzy: runner --help lists the commands'],
    [['constructor'], 'Cannot find the command constructor: runner --help lists the commands'],
    [['status', '--fromat', 'json'], 'Cannot use the option --fromat as it is unknown: did you mean --format?'],
    [['status', '--format', 'xml'], 'Cannot read --format as it must be table or json: current value is xml'],
    [['status', '0'], 'Cannot read the workflow id as it must be a whole number >= 1: current value is 0'],
    [['jobs', 'lsit'], 'Cannot find the command jobs lsit: did you mean jobs list?'],
    [['jobs', 'xyzzy'], 'Cannot find the command jobs xyzzy: runner jobs --help lists its commands'],
    [['jobs'], 'Cannot go on without a command of jobs: runner jobs --help lists them'],
    [['files', 'get', 'x'], 'Cannot read the id of the file as it must be a whole number >= 1: current value is x'],
    [['files', 'create', '--path', 'a'], 'Cannot go on without --name: --help shows an example'],
    [
      ['files', 'update', '1'],
      'Cannot update file 1 as nothing to change is given: --name, --path, --st-mtime, --identifier',
    ],
    [['user-data', 'update', '1', '--data', '{'], 'Cannot read --data as it is not JSON'],
    [['jobs', 'list', '--status', 'done'], 'Cannot read --status as it must be uninitialized or'],
    [['results', '--failed', '--status', 'failed'], 'Cannot use both --failed and --status: give one of them'],
    [
      ['recover', '--max-memory', '4GB'],
      'Cannot read --max-memory as it must be a size like 64g: current value is 4GB',
    ],
    [
      ['recover', '--memory-multiplier', '0.5'],
      'Cannot read --memory-multiplier as it must be >= 1: current value is 0.5',
    ],
    [['wait', '--timeout', 'soon'], 'Cannot read --timeout as it must be a duration'],
    [['clean', '--keep', '-1'], 'Cannot read --keep as it must be a whole number >= 0: current value is -1'],
    [['cancel'], 'Cannot go on without WORKFLOW: --help shows an example'],
    [['run'], 'Cannot go on without FILE|ID: --help shows an example'],
    [
      ['run', 'flow.yaml', '-j', '0'],
      'Cannot read --max-parallel-jobs as it must be a whole number >= 1: current value is 0',
    ],
    [['run', 'flow.yaml', '--num-cpus', '100000'], 'Cannot offer more CPUs than there are without --overcommit'],
    [['create', 'none.yaml'], 'Cannot read the workflow file none.yaml: there is no such file'],
    [
      ['server', '--port', '70000'],
      'Cannot read --port as it must be a whole number from 0 to 65535: current value is 70000',
    ],
  ])('%j is a usage error of one line', async (words, message) => {
    const { code, stdout, stderr } = await program.run(words, { HEADRACE_API_URL: 'http://127.0.0.1:1' })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  test('says where it looked when there is no database, exit code 3', async () => {
    const { code, stderr } = await program.run(['status', '--output-dir', 'nowhere'])
    expect(code).toBe(3)
    expect(stderr).toContain(join('nowhere', 'headrace.db'))
  })

  test('says that a server does not answer, exit code 3', async () => {
    const { code, stderr } = await program.run(['list', '--url', 'http://127.0.0.1:1'])
    expect({ code, stderr }).toEqual({
      code: 3,
      stderr:
        'Cannot reach the control plane at http://127.0.0.1:1/v1: connect ECONNREFUSED 127.0.0.1:1; `runner doctor` looks for the cause\n',
    })
  })

  test('ends quietly when its reader stops reading', async () => {
    const child = program.start(['run', '--help'])
    let complaints = ''
    child.stderr!.on('data', chunk => {
      complaints += chunk
    })
    child.stdout!.destroy()
    const [code] = await once(child, 'close')
    expect({ code, complaints }).toEqual({ code: 0, complaints: '' })
  })
})

describe('runner create --dry-run', () => {
  test('ends with 0 for a valid file and prints its facts', async () => {
    const { code, stdout } = await program.run(['create', 'flow.yaml', '--dry-run', '--format', 'json'])
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({
      valid: true,
      errors: [],
      summary: { workflow_name: 'flow', job_count: 2 },
      diagnostics: [],
    })
  })

  test('ends with 1 for a bad file and names line, column and fix', async () => {
    const { code, stdout } = await program.run(['create', 'bad.yaml', '--dry-run'])
    expect(code).toBe(1)
    expect(stdout).toMatch(/^bad\.yaml:4:\d+: error: .*comand.*did you mean "command"/m)
    expect(stdout).toMatch(/^Not valid: \d errors?$/m)
  })

  test('leaves no output directory behind', async () => {
    await program.run(['create', 'flow.yaml', '--dry-run', '--output-dir', 'dry'])
    expect(readdirSync(program.directory)).not.toContain('dry')
  })
})

test('runner create refuses a bad file with exit code 2 and creates nothing', async () => {
  const { code, stdout, stderr } = await program.run(['create', 'bad.yaml', '--output-dir', 'refused'])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toContain('bad.yaml:4:')
  expect(readdirSync(program.directory)).not.toContain('refused')
})

test('runner create, list, status, explain, results and cancel work on a database that no server owns', async () => {
  const at = ['--output-dir', 'local']
  const json = async (...words: string[]) => {
    const { code, stdout, stderr } = await program.run([...words, ...at, '--format', 'json'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return JSON.parse(stdout)
  }
  expect(await json('create', 'flow.yaml')).toEqual({
    workflow_id: 1,
    status: 'success',
    message: 'Workflow 1 (flow) created with 2 jobs.',
  })
  expect(await json('list')).toMatchObject({ count: 1, items: [{ id: 1, name: 'flow' }] })
  expect(await json('status')).toMatchObject({ workflow_id: 1, total_jobs: 2, jobs_by_status: { uninitialized: 2 } })
  expect(await json('explain', 'second')).toMatchObject({ job_id: 2, reasons: [{ code: 'not_initialized' }] })
  expect(await json('explain', '1')).toMatchObject({ name: 'first' })
  expect(await json('results', '1')).toEqual({ items: [], count: 0 })
  expect(await json('cancel', '1')).toMatchObject({ id: 1, is_canceled: true })

  const table = await program.run(['status', '1', ...at])
  expect(table.stdout).toBe('Workflow 1 (flow), run 0: canceled, 0 of 2 jobs done\nuninitialized 2\n')
  const missing = await program.run(['status', '7', ...at])
  expect(missing).toEqual({ code: 3, stdout: '', stderr: 'Cannot show workflow 7: Workflow not found with ID: 7\n' })
  const unknown = await program.run(['explain', 'third', ...at])
  expect(unknown.stderr).toBe('Cannot find a job named third in workflow 1: --workflow names another one\n')
  expect(statSync(join(program.directory, 'local')).mode & 0o777).toBe(0o700)
})

describe('runner server', () => {
  test('is found by commands through the output directory, and by --url', async () => {
    const server = await startServer('served')
    expect((await program.run(['create', 'flow.yaml', '--output-dir', 'served'])).code).toBe(0)
    const byUrl = await program.run(['list', '--url', server.url, '--format', 'json'], { HEADRACE_TOKEN: server.token })
    expect(JSON.parse(byUrl.stdout)).toMatchObject({ count: 1 })
    expect(await server.stop()).toBe(0)
    expect(readdirSync(join(program.directory, 'served'))).not.toContain('headrace.json')
  })

  test('that was killed leaves an address which commands pass over', async () => {
    const server = await startServer('killed')
    await program.run(['create', 'flow.yaml', '--output-dir', 'killed'])
    await server.kill()
    expect(readdirSync(join(program.directory, 'killed'))).toContain('headrace.json')
    const { code, stdout } = await program.run(['status', '--output-dir', 'killed'])
    expect({ code, first: stdout.split(':')[0] }).toEqual({ code: 0, first: 'Workflow 1 (flow), run 0' })
  })

  test('is found by the database it serves, and not for another one', async () => {
    const server = await startServer('both', ['--db', 'elsewhere.db'])
    const list = (...words: string[]) => program.run(['list', '--output-dir', 'both', ...words])
    expect((await list()).stdout).toBe('No workflows.\n')
    expect((await list('--db', 'elsewhere.db')).stdout).toBe('No workflows.\n')
    expect((await list('--db', 'other.db')).stderr).toContain('other.db does not exist')
    await server.stop()
  })

  test('refuses a database that another process holds, in one line with exit code 3', async () => {
    const server = await startServer('held')
    const other = await program.run(['server', '--port', '0', '--db', 'held/headrace.db', '--output-dir', 'elsewhere'])
    expect(other.code).toBe(3)
    expect(other.stderr.trimEnd().split('\n')).toHaveLength(1)
    expect(other.stderr).toContain('held/headrace.db')
    await server.stop()
  })

  test('refuses a port that is taken, in one line with exit code 3', async () => {
    const server = await startServer('first')
    const other = await program.run(['server', '--port', new URL(server.url).port, '--output-dir', 'second'])
    expect(other).toMatchObject({ code: 3, stderr: expect.stringContaining('another program') })
    expect(other.stderr.trimEnd().split('\n')).toHaveLength(1)
    await server.stop()
  })

  test('wants a token for any address but loopback', async () => {
    const { code, stderr } = await program.run(['server', '--host', '0.0.0.0', '--port', '0', '--output-dir', 'open'])
    expect({ code, says: stderr.includes('without a token') }).toEqual({ code: 3, says: true })
  })
})

/** Starts a server on a directory of its own and waits for its address. */
async function startServer(outputDir: string, words: string[] = []) {
  const child = program.start(['server', '--port', '0', '--output-dir', outputDir, ...words])
  let said = ''
  const url = await new Promise<string>((resolve, reject) => {
    child.on('close', code => reject(new Error(`The server ended with ${code}: ${said}`)))
    child.stderr!.on('data', chunk => {
      said += chunk
      const found = /http:\S+?(?=,|\s)/.exec(said)
      if (found !== null) resolve(found[0])
    })
  })
  const info = JSON.parse(readFileSync(join(program.directory, outputDir, 'headrace.json'), 'utf8'))
  const end = async (signal: NodeJS.Signals) => {
    child.kill(signal)
    const [code] = await once(child, 'close')
    return code
  }
  return { url, token: info.token as string, stop: () => end('SIGTERM'), kill: () => end('SIGKILL') }
}
