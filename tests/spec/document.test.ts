import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { canonicalExpansion } from '../../api/core/spec/canonical.ts'
import { toDocument } from '../../api/core/spec/document.ts'
import { toMapNode } from '../../api/core/spec/json-node.ts'
import { writeSpec } from '../../api/spec/write.ts'
import { comparable } from './comparable.ts'
import { FIXTURES, loadFixture, loadText } from './fixture-env.ts'

const files = ['', 'rules/'].flatMap(folder =>
  readdirSync(join(FIXTURES, 'specs', folder), { withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name !== 'stations.txt')
    .filter(({ name }) => /^three-stage/.test(name) || !/\.(json5|kdl|json)$/.test(name))
    .map(entry => `${folder}${entry.name}`),
)

describe('toDocument()', () => {
  test.each(files)('gives a file that expands to the same workflow as %s', async file => {
    const { workflow } = await loadFixture(file)
    const text = await writeSpec(toMapNode(toDocument(workflow!)), 'yaml')
    const again = await loadText(text)
    expect(again.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([])
    expect(comparable(again.workflow!)).toBe(comparable(workflow!))
  })

  test.each(['yaml', 'json', 'json5', 'kdl'] as const)(
    'keeps the keys of ours, and can be written in %s',
    async format => {
      const { workflow } = await loadText(
        [
          'name: x',
          'loss_budget: 2',
          'access_groups: [b, a]',
          'dynamic_jobs: { max_iterations: 7 }',
          'metadata: { z: 1, a: { pi: Noor } }',
          'retry: { max: 3, on: [oom, timeout], memory_factor: 1.5, max_memory: 4g, max_runtime: PT2H }',
          'transient: { exit_codes: [75] }',
          'site: { prologue: ["module load x"], directives: ["#SBATCH -C lustre"] }',
          'resource_requirements: [{ name: big, num_cpus: 2, memory: 1g }]',
          'slurm_schedulers: [{ name: s, account: a, serialize_allocations: true }]',
          'enable_ro_crate: true',
          'files: [{ name: in, path: in.csv, st_mtime: 5.5, identifier: "doi:10/x" }]',
          'user_data: [{ name: u, data: { b: [1, 2.5, null] }, is_ephemeral: true }]',
          'env: { A: "1" }',
          'jobs:',
          '  - { name: a, command: "a\\nb", tags: { kind: k }, cwd: run/1, time_limit: PT0.5S, eject: true, env: { B: "2" } }',
          '  - { name: b, command: b, resource_requirements: big, deterministic: { log_patterns: ["NaN"] }, labels: [gpu, win] }',
          '  - { name: c, command: c, family: solver, retry: {}, input_files: [in], stdio: { mode: none }, input_user_data: [u] }',
        ].join('\n'),
      )
      const text = await writeSpec(toMapNode(toDocument(workflow!)), format)
      const again = await loadText(text, { fileName: `flow.${format}` })
      expect(again.diagnostics).toEqual([])
      expect(canonicalExpansion(again.workflow!)).toBe(canonicalExpansion(workflow!))
    },
  )
})
