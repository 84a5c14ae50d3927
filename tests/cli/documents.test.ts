import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { VERBS } from '../../runner/verbs.ts'
import { collectVerbs } from '../../scripts/cli-docs/collect.ts'
import { misfits, type Schema } from '../helpers/json-schema.ts'
import { openProgram, type Program } from './program.ts'

const SCHEMAS: { $defs: Record<string, Schema>; commands: Record<string, Schema> } = JSON.parse(
  readFileSync(new URL('../../docs/cli-output.schema.json', import.meta.url), 'utf8'),
)

/**
 * Commands that print no document of their own: what they run does, or a workflow file. Others need a batch scheduler; the last a job that
 * waits for a decision, or a server whose administrator asks: their own tests have these. Webhooks need a server that delivers them,
 * `start` one that others reach.
 */
const TOLD_ELSEWHERE =
  /^(allocate (?!status)|remote (?!add|list)|pipe (?!list|groups)|submit|hpc \w+|slurm \w+|convert|export|import|exec|exec-spec|parallel|node|admin (sql|reload-auth)|jobs fail|webhooks (?!list)|start)\b/

const FLOW = `
name: flow
resource_requirements:
  - { name: small, num_cpus: 1, memory: 100m, runtime: PT1M }
files:
  - { name: made, path: made.txt }
user_data:
  - { name: limits, data: { most: 7 } }
failure_handlers:
  - { name: patient, rules: [{ exit_codes: [75], max_retries: 3 }] }
actions:
  - { trigger_type: on_workflow_start, action_type: run_commands, commands: ['true'] }
jobs:
  - { name: good, command: echo fine > made.txt, output_files: [made], resource_requirements: small }
  - { name: bad, command: 'echo oh >&2; exit 3', resource_requirements: small }
  - { name: worse, command: exit 4, resource_requirements: small }
  - { name: below, command: 'true', depends_on: [bad] }
`

/** In this order on one workflow that was run once; an id that a command makes is used by those after it. */
const COMMANDS: readonly (readonly [name: string, words: string, code?: number])[] = [
  ['validate', 'validate flow.yaml'],
  ['run', 'run flow.yaml', 1],
  ['list', 'list'],
  ['webhooks list', 'webhooks list'],
  ['server check', 'server check'],
  ['server purge', 'server purge --older-than 1d --dry-run'],
  ['status', 'status flow'],
  ['wait', 'wait 1', 1],
  ['watch', 'watch 1', 1],
  ['explain', 'explain bad'],
  ['logs', 'logs bad'],
  ['recover', 'recover --dry-run'],
  ['results list', 'results --include-logs'],
  ['results get', 'results get $RESULT'],
  ['jobs list', 'jobs list'],
  ['jobs get', 'jobs get good'],
  ['jobs create', 'jobs create --name more --command true'],
  ['jobs update', 'jobs update more --priority 3'],
  ['jobs delete', 'jobs delete more'],
  ['jobs retry', 'jobs retry bad'],
  ['jobs attempts', 'jobs attempts bad'],
  ['jobs put-back', 'jobs put-back worse --command true'],
  ['jobs bulk', 'jobs bulk priority --pattern b* --priority 3'],
  ['jobs reset', 'jobs reset bad'],
  ['files list', 'files list'],
  ['files get', 'files get 1'],
  ['files create', 'files create --name mesh --path mesh.dat'],
  ['files update', 'files update 2 --path finer.dat'],
  ['files delete', 'files delete 2'],
  ['user-data list', 'user-data list'],
  ['user-data get', 'user-data get 1'],
  ['user-data create', `user-data create --name x --data {"a":[1]}`],
  ['user-data update', 'user-data update 1 --data 7'],
  ['user-data delete', 'user-data delete 2'],
  ['resource-requirements list', 'resource-requirements list'],
  ['resource-requirements get', 'resource-requirements get 1'],
  ['resource-requirements create', 'resource-requirements create --name large --memory 4g'],
  ['resource-requirements update', 'resource-requirements update 3 --num-cpus 8'],
  ['resource-requirements delete', 'resource-requirements delete 3'],
  ['compute-nodes list', 'compute-nodes list'],
  ['compute-nodes get', 'compute-nodes get 1'],
  [
    'compute-nodes create',
    'compute-nodes create --hostname n1 --pid 1 --start-time 2026-01-31T12:00:00Z --num-cpus 8 --memory-gb 32 --num-gpus 0 --num-nodes 1 --compute-node-type local',
  ],
  ['compute-nodes update', 'compute-nodes update 2 --is-active false'],
  ['compute-nodes delete', 'compute-nodes delete 2'],
  ['actions list', 'actions list'],
  ['actions get', 'actions get 1'],
  [
    'actions create',
    'actions create --trigger-type on_workflow_complete --action-type run_commands --action-config {"commands":["true"]}',
  ],
  ['actions update', 'actions update 2 --action-config {"commands":["false"]}'],
  ['actions delete', 'actions delete 2'],
  ['failure-handlers list', 'failure-handlers list'],
  ['failure-handlers get', 'failure-handlers get 1'],
  ['failure-handlers create', 'failure-handlers create --name other --rules []'],
  ['failure-handlers delete', 'failure-handlers delete 2'],
  ['slurm-schedulers create', 'slurm-schedulers create --account a --nodes 1 --walltime 01:00:00'],
  ['slurm-schedulers list', 'slurm-schedulers list'],
  ['slurm-schedulers get', 'slurm-schedulers get 1'],
  ['slurm-schedulers update', 'slurm-schedulers update 1 --partition short'],
  ['slurm-schedulers delete', 'slurm-schedulers delete 1'],
  ['local-schedulers create', 'local-schedulers create --num-cpus 4'],
  ['local-schedulers list', 'local-schedulers list'],
  ['local-schedulers get', 'local-schedulers get 1'],
  ['local-schedulers update', 'local-schedulers update 1 --memory 8g'],
  ['local-schedulers delete', 'local-schedulers delete 1'],
  [
    'scheduled-compute-nodes create',
    'scheduled-compute-nodes create --scheduler-id 7 --scheduler-config-id 1 --scheduler-type slurm --status pending',
  ],
  ['scheduled-compute-nodes list', 'scheduled-compute-nodes list'],
  ['scheduled-compute-nodes get', 'scheduled-compute-nodes get 1'],
  ['scheduled-compute-nodes update', 'scheduled-compute-nodes update 1 --status complete'],
  ['scheduled-compute-nodes delete', 'scheduled-compute-nodes delete 1'],
  ['ro-crate-entities create', 'ro-crate-entities create --entity-id a --entity-type File --metadata {"name":"a"}'],
  ['ro-crate-entities list', 'ro-crate-entities list'],
  ['ro-crate-entities get', 'ro-crate-entities get 1'],
  ['ro-crate-entities update', 'ro-crate-entities update 1 --entity-type Dataset'],
  ['ro-crate-entities delete', 'ro-crate-entities delete 1'],
  ['slurm-stats create', 'slurm-stats create --job-id 1 --run-id 0 --attempt-id 1'],
  ['slurm-stats list', 'slurm-stats list'],
  ['remote-workers add', 'remote-workers add 1 me@n1'],
  ['remote-workers list', 'remote-workers list'],
  ['remote-workers remove', 'remote-workers remove 1 me@n1'],
  ['events create', 'events create --data {"category":"note"}'],
  ['events list', 'events --category note'],
  ['events get', 'events get 1'],
  ['events update', 'events update 1 --data {"category":"other"}'],
  ['events delete', 'events delete 1'],
  ['tokens create', 'tokens create ci --scope read,write'],
  ['tokens mint', 'tokens mint 1'],
  ['tokens list', 'tokens list'],
  ['tokens get', 'tokens get 1'],
  ['tokens rotate', 'tokens rotate 1'],
  ['tokens revoke', 'tokens revoke 1'],
  ['admin calls', 'admin calls'],
  ['allocate status', 'allocate status 1'],
  ['remote add', 'remote add 1 me@n3'],
  ['remote list', 'remote list 1'],
  ['pipe list', 'pipe list'],
  ['pipe groups', 'pipe groups'],
  ['workflows init', 'workflows init 1 --force --async'],
  ['tasks get', 'tasks get $TASK'],
  ['tasks wait', 'tasks wait $TASK'],
  ['tasks active', 'tasks active'],
  ['workflows get', 'workflows get flow'],
  ['workflows update', 'workflows update flow --description changed'],
  ['workflows plan', 'workflows plan'],
  ['workflows check-resources', 'workflows check-resources'],
  ['workflows correct-resources', 'workflows correct-resources 1 --downsize --dry-run'],
  ['workflows reset-status', 'workflows reset-status 1'],
  ['workflows init', 'workflows init 1'],
  ['workflows reinit', 'workflows reinit 1'],
  ['access-groups create', 'access-groups create team'],
  ['access-groups list', 'access-groups list'],
  ['access-groups get', 'access-groups get team'],
  ['access-groups add-user', 'access-groups add-user team ann'],
  ['access-groups members', 'access-groups members team'],
  ['access-groups list-user-groups', 'access-groups list-user-groups ann'],
  ['access-groups add-workflow', 'access-groups add-workflow team 1'],
  ['access-groups list-workflow-groups', 'access-groups list-workflow-groups 1'],
  ['access-groups remove-workflow', 'access-groups remove-workflow team 1'],
  ['access-groups remove-user', 'access-groups remove-user team ann'],
  ['access-groups delete', 'access-groups delete team'],
  ['admin audit-log', 'admin audit-log'],
  ['workflows archive', 'workflows archive 1'],
  ['results delete', 'results delete $RESULT'],
  ['cancel', 'cancel 1'],
  ['reconcile', 'reconcile .'],
  ['clean', 'clean --empty-logs'],
  ['ping', 'ping'],
  ['doctor', 'doctor'],
  ['config show', 'config show'],
  ['config paths', 'config paths'],
  ['workflows delete', 'workflows delete 1'],
  ['create', 'create flow.yaml'],
  ['jobs create-from-file', 'jobs create-from-file flow commands.txt'],
]

describe('--format json', () => {
  let program: Program
  const ids: Record<string, string> = {}

  beforeAll(() => {
    program = openProgram()
    writeFileSync(join(program.directory, 'flow.yaml'), FLOW)
    writeFileSync(join(program.directory, 'commands.txt'), 'echo a\necho b\n')
  })
  afterAll(() => program.close())

  test.each(COMMANDS.map(([name, words, code = 0]) => ({ name, words, code })))(
    '$name prints one document of its schema',
    async ({ name, words, code }) => {
      const ended = await program.run([...fill(words, ids), '--format', 'json'])
      expect({ code: ended.code, stderr: name === 'run' || name === 'watch' ? '' : ended.stderr }).toEqual({
        code,
        stderr: '',
      })
      const document = JSON.parse(ended.stdout)
      expect(misfits(document, SCHEMAS.commands[name]!, SCHEMAS.$defs)).toEqual([])
      if (name === 'results list') ids.$RESULT = String(document.items[0].id)
      if (document.operation === 'initialize_jobs') ids.$TASK = String(document.id)
    },
  )

  test('every command that has it is in the schema and in this test', async () => {
    const verbs = await collectVerbs(VERBS)
    const names = verbs
      .filter(({ verb }) => verb.args.format !== undefined)
      .map(({ words }) => words)
      .filter(words => !TOLD_ELSEWHERE.test(words))
    const tested = new Set(COMMANDS.map(([name]) => name))
    expect(names.filter(name => SCHEMAS.commands[name] === undefined || !tested.has(name))).toEqual([])
  })
})

const fill = (words: string, ids: Record<string, string>): string[] => words.split(' ').map(word => ids[word] ?? word)
