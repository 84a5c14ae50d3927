import { describe, expect, test } from 'vitest'
import { SlotEnvironment, SlotShare } from '../../runner/launcher/slot-environment.ts'

const base = { PATH: '/bin', SHLVL: '2', _: '/bin/node', PWD: '/work', HOME: '/root', LC_ALL: 'C', http_proxy: 'proxy' }
const plan = (changes: Record<string, string | null> = {}, own: Record<string, string> = base) =>
  new SlotEnvironment(own).plan(changes, 'mark.1')

describe('SlotEnvironment', () => {
  test('shares what no job, shell or script name stands against', () => {
    expect(new SlotEnvironment(base).shared).toEqual(['PATH=/bin', 'HOME=/root'])
  })

  test('plan() leaves the rest, with one shell level more, to the export of each job', () => {
    const entries = ['SHLVL=3', 'PWD=/work', 'LC_ALL=C', 'http_proxy=proxy', 'HEADRACE_LAUNCH=mark.1']
    expect(plan()).toEqual({ by: 'export', lastWord: '/bin/node', hidden: ['OLDPWD'], entries })
  })

  test('plan() puts the changes of a job over it, and hides what is taken away', () => {
    const changes = { HOME: null, ABSENT: null, http_proxy: null, LC_ALL: 'de_DE', SHLVL: '0', _: 'x', ADDED: 'a=b' }
    const entries = ['SHLVL=1', 'PWD=/work', 'LC_ALL=de_DE', 'ADDED=a=b', 'HEADRACE_LAUNCH=mark.1']
    expect(plan(changes)).toEqual({ by: 'export', lastWord: 'x', hidden: ['HOME', 'OLDPWD'], entries })
  })

  test.each(['UID', 'IFS', 'fields', 'BASHOPTS', 'BASH_FUNC_module%%', 'a.b', '1', 'a b', 'TMOUT', 'ü'])(
    'plan() leaves %s to `env`, be it from the launcher or from a job',
    name => {
      const entries = [...Object.entries(base).map(([key, value]) => `${key}=${value}`), `${name}=v`]
      const all = { by: 'env', entries: [...entries, 'HEADRACE_LAUNCH=mark.1'] }
      const inherited = new SlotEnvironment({ ...base, [name]: 'v' })
      expect([plan({ [name]: 'v' }), inherited.plan({}, 'mark.1')].map(({ by }) => by)).toEqual(['env', 'env'])
      expect(new Set(plan({ [name]: 'v' }).entries)).toEqual(new Set(all.entries))
      expect(inherited.shared).toEqual([])
    },
  )

  test.each([
    ['PATH', null],
    ['SHLVL', null],
    ['SHLVL', '999'],
    ['SHLVL', '07'],
    ['_', null],
  ])('plan() leaves it to `env` where bash would hand on something else: %s=%s', (name, value) => {
    expect(plan({ [name]: value }).by).toBe('env')
  })
})

describe('SlotShare', () => {
  const ofJob = (...entries: string[]) => ({ by: 'export' as const, lastWord: '_', hidden: [], entries })

  test('reduce() shares what two jobs in a row have in common, and sends it no more', () => {
    const share = new SlotShare({})
    const of = (id: number) => ofJob('TORC_RUN_ID=0', `TORC_JOB_ID=${id}`, 'HOME=/h')
    expect(share.reduce(of(1))).toEqual({ plan: of(1), fresh: [] })
    expect(share.reduce(of(2))).toEqual({ plan: ofJob('TORC_JOB_ID=2', 'HOME=/h'), fresh: ['TORC_RUN_ID=0'] })
    expect(share.reduce(of(3))).toEqual({ plan: ofJob('TORC_JOB_ID=3', 'HOME=/h'), fresh: [] })
  })

  test('reduce() shares the directories and the level, whatever is below them', () => {
    const share = new SlotShare({ PWD: '/below', SHLVL: '1' })
    const job = ofJob('PWD=/work', 'OLDPWD=/', 'SHLVL=2')
    share.reduce(job)
    expect(share.reduce(job)).toEqual({ plan: ofJob(), fresh: job.entries })
    expect(share.reduce(ofJob('PWD=/work', 'SHLVL=3')).plan).toEqual({ ...ofJob('SHLVL=3'), hidden: ['OLDPWD'] })
  })

  test('reduce() sends another value, and hides what a job does not have', () => {
    const share = new SlotShare({})
    for (const _ of [1, 2]) share.reduce(ofJob('TORC_RUN_ID=0'))
    expect(share.reduce(ofJob('TORC_RUN_ID=1')).plan.entries).toEqual(['TORC_RUN_ID=1'])
    expect(share.reduce(ofJob('A=1')).plan).toEqual({ ...ofJob('A=1'), hidden: ['TORC_RUN_ID'] })
    expect(share.reduce(ofJob('TORC_RUN_ID=0')).plan.entries).toEqual([])
  })

  test('reduce() shares neither the value of a name that is below all jobs nor a name of somebody else', () => {
    const share = new SlotShare({ TORC_API_URL: 'below' })
    const both = ofJob('TORC_API_URL=own', 'HOME=/h')
    for (const _ of [1, 2, 3]) expect(share.reduce(both)).toEqual({ plan: both, fresh: [] })
  })

  test('reduce() leaves an environment that is made from nothing as it is', () => {
    const plan = { by: 'env' as const, entries: ['TORC_RUN_ID=0'] }
    const share = new SlotShare({})
    for (const _ of [1, 2]) expect(share.reduce(plan)).toEqual({ plan, fresh: [] })
  })
})
