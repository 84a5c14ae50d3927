import { expect, it } from 'vitest'
import { completionOf } from '../helpers/completion.ts'
import { api, twin } from './client.ts'
import { claim, jobsNamed, start, statusesOf } from './workflow.ts'

const DIAMOND = [
  { name: 'top' },
  { name: 'left', depends_on: ['top'] },
  { name: 'right', depends_on: ['top'] },
  { name: 'bottom', depends_on_regexes: ['^(left|right)$'] },
]

it('completions: each unblocks what waits for it in its own request, and may bring a claim', async () => {
  const started = await start(api, DIAMOND)
  const [top] = await claim(api, started)
  const reply = await api.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: [completionOf(started, top!.id, { claim_token: top!.claim_token })],
    claim: { limit: 10, num_cpus: 8, memory_gb: 8, num_gpus: 0, num_nodes: 1, compute_node_id: started.nodeId },
  })
  expect(reply.body.completed).toEqual([top!.id])
  expect(reply.body.claimed.map((job: { name: string }) => job.name)).toEqual(['left', 'right'])
  expect(await statusesOf(twin, started)).toEqual(['completed', 'pending', 'pending', 'blocked'])
})

it('completions: sent again they are accepted and change nothing, also when both arrive at once', async () => {
  const started = await start(api, jobsNamed('a', 'b'))
  const held = await claim(api, started)
  const batch = {
    completions: held.map(job => completionOf(started, job.id, { claim_token: job.claim_token })),
    verdicts: true,
  }
  const path = `/workflows/${started.workflowId}/batch_complete_jobs`
  const replies = await Promise.all([api.post(path, batch), twin.post(path, batch)])
  const codes = replies.map(reply => reply.body.verdicts.map((verdict: { code: string }) => verdict.code).join())
  expect(codes.sort()).toEqual(['accepted,accepted', 'duplicate,duplicate'])
  const results = await api.get(`/results?workflow_id=${started.workflowId}&all_runs=true`)
  expect(results.body.total_count).toBe(2)
})

it('completions: a wrong token is refused and spoils nothing beside it', async () => {
  const started = await start(api, jobsNamed('a', 'b'))
  const [a, b] = await claim(api, started)
  const reply = await api.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: [
      completionOf(started, a!.id, { claim_token: `${a!.claim_token}x` }),
      completionOf(started, b!.id, { claim_token: b!.claim_token }),
    ],
  })
  expect(reply.body).toMatchObject({ completed: [b!.id], errors: [{ job_id: a!.id }] })
  expect(await statusesOf(api, started)).toEqual(['pending', 'completed'])
})

it('completions: a failure cancels a chain far longer than one transaction follows', async () => {
  const chain = Array.from({ length: 200 }, (_, k) => ({
    name: `link_${k}`,
    depends_on: k === 0 ? [] : [`link_${k - 1}`],
  }))
  const started = await start(api, chain)
  const [head] = await claim(api, started)
  await api.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: [completionOf(started, head!.id, { status: 'failed', claim_token: head!.claim_token })],
  })
  const statuses = await statusesOf(twin, started)
  expect(statuses[0]).toBe('failed')
  expect(new Set(statuses.slice(1))).toEqual(new Set(['canceled']))
})

it('completions: a workflow larger than one transaction starts whole and ends whole', async () => {
  const started = await start(api, jobsNamed(...Array.from({ length: 6_000 }, (_, k) => `j${k}`)))
  const counts = async () => (await twin.get(`/workflows/${started.workflowId}/summary`)).body.jobs_by_status
  expect(await counts()).toMatchObject({ ready: 6_000 })
  const held = await claim(api, started)
  await api.post(`/workflows/${started.workflowId}/batch_complete_jobs`, {
    completions: held.map(job => completionOf(started, job.id, { claim_token: job.claim_token })),
  })
  expect(await counts()).toMatchObject({ ready: 5_900, completed: 100 })
})
