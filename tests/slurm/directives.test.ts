import { describe, expect, test } from 'vitest'
import { directivesOf } from '../../runner/slurm/directives.ts'
import { schedulerOf } from './rows.ts'

const SUBMISSION = { name: 'hr-1', output: '/out/o', error: '/out/e' }
const linesOf = (...[scheduler, defaults = {}, site]: [Parameters<typeof schedulerOf>[0], object?, string[]?]) =>
  directivesOf(schedulerOf(scheduler), defaults as Parameters<typeof directivesOf>[1], SUBMISSION, site)

describe('directivesOf()', () => {
  test('says every field of a scheduler, as it is written', () => {
    const lines = linesOf({
      partition: 'debug',
      qos: 'high',
      nodes: 2,
      ntasks_per_node: 4,
      mem: '180g',
      gres: 'gpu:a100:2',
      tmp: '1t',
      extra: '--exclusive --constraint=nvme',
    })
    expect(lines).toEqual([
      '--job-name=hr-1',
      '--account=physics',
      '--partition=debug',
      '--qos=high',
      '--nodes=2',
      '--ntasks-per-node=4',
      '--time=01:00:00',
      '--mem=180g',
      '--gres=gpu:a100:2',
      '--tmp=1t',
      '--output=/out/o',
      '--error=/out/e',
      '--open-mode=append',
      '--exclusive --constraint=nvme',
    ])
  })

  test('adds slurm_defaults: true is the bare option, false and what has no value nothing', () => {
    const added = linesOf(
      {},
      { nice: 50, exclusive: true, requeue: false, mail_type: 'END', list: [], none: null },
    ).slice(7)
    expect(added).toEqual(['--nice=50', '--exclusive', '--mail-type=END'])
  })

  test('lets the fields of a scheduler win over slurm_defaults, also over their short names', () => {
    const lines = linesOf({ qos: 'high' }, { account: 'other', A: 'other', qos: 'low', ntasks_per_node: 2 })
    expect(lines.filter(line => /account|qos/.test(line))).toEqual(['--account=physics', '--qos=high'])
    expect(lines).toContain('--ntasks-per-node=2')
  })

  test('chains serialized allocations, which beats slurm_defaults and is beaten by extra', () => {
    const lines = linesOf(
      { serialize_allocations: true, extra: '--dependency=afterok:7' },
      { dependency: 'afterany:3' },
      ['--reservation=maint'],
    )
    expect(lines.filter(line => line.includes('dependency'))).toEqual([
      '--dependency=singleton',
      '--dependency=afterok:7',
    ])
    expect(lines.at(-1)).toBe('--reservation=maint')
  })

  test('appends to the output of a requeued allocation unless slurm_defaults says otherwise', () => {
    const modes = linesOf({}, { open_mode: 'truncate' }).filter(line => line.includes('open-mode'))
    expect(modes).toEqual(['--open-mode=truncate'])
  })

  test('quotes values with blanks, and leaves quotes that are there', () => {
    const lines = linesOf({}, { comment: 'the "best" run', wckey: '"a b"' })
    expect(lines).toContain('--comment="the \\"best\\" run"')
    expect(lines).toContain('--wckey="a b"')
  })

  test('refuses an option that would go on in another line of the script', () => {
    expect(() => linesOf({ extra: '--nice\nrm -rf /' })).toThrow('several lines')
    expect(() => linesOf({}, { comment: 'a\nb' })).toThrow('several lines')
    expect(() => linesOf({}, {}, ['--a\n--b'])).toThrow('several lines')
  })
})
