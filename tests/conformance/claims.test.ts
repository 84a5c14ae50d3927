import { expect, it } from 'vitest'
import { api, twin } from './client.ts'
import { claim, jobsNamed, start, statusesOf } from './workflow.ts'

it('claims: ten claimers at two control planes share forty jobs, each job claimed once', async () => {
  const started = await start(api, jobsNamed(...Array.from({ length: 40 }, (_, k) => `j${k}`)))
  const claimers = Array.from({ length: 10 }, (_, k) => claim(k % 2 === 0 ? api : twin, started, { num_cpus: 4 }))
  const ids = (await Promise.all(claimers)).flat().map(job => job.id)
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids).toHaveLength(40)
  expect(await claim(api, started)).toEqual([])
})

it('claims: a repeated claim_id gets the same jobs and tokens from either control plane', async () => {
  const started = await start(api, jobsNamed('a', 'b', 'c'))
  const first = await claim(api, started, { claim_id: 'conformance-1', num_cpus: 2 })
  expect(first).toHaveLength(2)
  expect(await claim(twin, started, { claim_id: 'conformance-1', num_cpus: 2 })).toEqual(first)
  expect((await statusesOf(api, started)).filter(status => status === 'pending')).toHaveLength(2)
})

it('claims: what is given back is ready again, under another token', async () => {
  const started = await start(api, jobsNamed('a'))
  const [held] = await claim(api, started)
  const given = { claims: [{ job_id: held!.id, claim_token: held!.claim_token }] }
  expect((await api.post(`/compute_nodes/${started.nodeId}/release`, given)).status).toBe(200)
  const [again] = await claim(twin, started)
  expect(again).toMatchObject({ id: held!.id })
  expect(again!.claim_token).not.toBe(held!.claim_token)
})
