import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { chooseProfile, detect, knownProfiles, type Surroundings } from '../../runner/hpc/choose.ts'
import type { CommandResult } from '../../runner/schedulers/command.ts'

let home: string
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'headrace-hpc-'))
})
afterEach(() => rmSync(home, { recursive: true, force: true }))

function ownProfile(name: string, fields: object = {}): void {
  const directory = join(home, 'headrace', 'hpc')
  mkdirSync(directory, { recursive: true })
  const partitions = [{ name: 'mine', cpus_per_node: 2, memory_per_node: '4g', max_walltime: '1:00:00' }]
  writeFileSync(join(directory, `${name}.json`), JSON.stringify({ name, partitions, ...fields }))
}

const away: CommandResult = { kind: 'missing', message: 'Cannot run sinfo as it is not on PATH' }
const said = (stdout: string): CommandResult => ({ kind: 'exited', code: 0, stdout, stderr: '' })

/** A machine whose Slurm says these things, by the command's last word but one. */
function machine(answers: Record<string, CommandResult> = {}, hostname = 'login1'): Surroundings {
  return {
    env: { XDG_CONFIG_HOME: home },
    hostname,
    run: async argv => answers[argv[0] === 'sinfo' ? 'sinfo' : argv[2]!] ?? away,
  }
}

const CLUSTER = {
  sinfo: said('debug|up|1:00:00|2|8|8000|(null)\n'),
  config: said('ClusterName = hill\n'),
  partition: said('PartitionName=debug Default=YES MaxNodes=1 OverSubscribe=NO\n'),
}

describe('knownProfiles()', () => {
  test("puts a user's own first, in place of the one with its name", () => {
    ownProfile('kestrel')
    ownProfile('hill')
    const names = knownProfiles({ XDG_CONFIG_HOME: home }).map(({ name, source }) => `${name} ${source}`)
    expect(names).toEqual(['hill user', 'kestrel user', 'anvil built-in', 'expanse built-in'])
  })

  test('names the file that cannot be used', () => {
    ownProfile('hill', { partitions: [] })
    expect(() => knownProfiles({ XDG_CONFIG_HOME: home })).toThrow(/hill\.json as it is not right at partitions/)
  })
})

describe('detect()', () => {
  test('asks Slurm, and takes the account from the profile of its name', async () => {
    ownProfile('kestrel', { default_account: 'physics' })
    expect(await detect(machine(CLUSTER))).toMatchObject({
      profile: { name: 'hill', source: 'live', partitions: [{ name: 'debug', maxNodes: 1, isDefault: true }] },
    })
  })

  test("takes a user's own profile before what Slurm says", async () => {
    ownProfile('hill', { detect: { cluster_names: ['hill'] } })
    expect(await detect(machine(CLUSTER))).toMatchObject({ profile: { source: 'user' }, sign: 'cluster name hill' })
  })

  test('goes by the host name where Slurm does not answer, and says why there is nothing else', async () => {
    expect(await detect(machine({}, 'kl1.hpc.nrel.gov'))).toMatchObject({ profile: { name: 'kestrel' } })
    expect(await detect(machine())).toEqual({ message: 'Cannot run sinfo as it is not on PATH' })
  })

  test('does without scontrol', async () => {
    expect(await detect(machine({ sinfo: CLUSTER.sinfo }))).toMatchObject({ profile: { name: 'slurm' } })
  })
})

describe('chooseProfile()', () => {
  test('finds by name, live by asking', async () => {
    expect((await chooseProfile('anvil', machine())).name).toBe('anvil')
    expect((await chooseProfile('live', machine(CLUSTER))).source).toBe('live')
  })

  test('offers the nearest name, and asks for one where nothing is detected', async () => {
    await expect(chooseProfile('kestral', machine())).rejects.toThrow('did you mean kestrel?')
    await expect(chooseProfile(undefined, machine())).rejects.toThrow('--profile')
    await expect(chooseProfile('live', machine())).rejects.toThrow('not on PATH')
  })
})
