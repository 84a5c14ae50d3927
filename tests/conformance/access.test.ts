import { expect, it } from 'vitest'
import { api, callerOf, target } from './client.ts'

const basic = (user: string, password: string) => `Basic ${btoa(`${user}:${password}`)}`

it('access: the token opens as Bearer and as Basic password, anything else is 401 with a challenge', async () => {
  for (const right of [`Bearer ${target.token}`, basic('ada', target.token)]) {
    expect((await callerOf(target.url, right).get('/workflows')).status).toBe(200)
  }
  for (const wrong of ['Bearer x', `Bearer ${target.token}x`, `Bearer ${target.token.slice(1)}`]) {
    const reply = await callerOf(target.url, wrong).get('/workflows')
    expect(reply.status, wrong).toBe(401)
    expect(reply.headers.get('www-authenticate')).toBe('Basic realm="Torc"')
  }
})

it('access: on a hosted control plane nobody does without; a local one knows its own user', async () => {
  const open = await callerOf(target.url, '').get('/workflows')
  expect(open.status).toBe(target.name.startsWith('node') ? 200 : 401)
})

it('access: a user of Basic credentials is who things are recorded under', async () => {
  const ada = callerOf(target.url, basic('ada', target.token))
  const made = await ada.post('/workflows/from_spec?file_name=s.json', {
    name: 'hers',
    jobs: [{ name: 'j', command: 'true' }],
  })
  const workflow = await ada.get(`/workflows/${made.body.workflow_id}`)
  expect(workflow.body.user).toBe('ada')
})

it('access: tokens are made, have the rights of their scopes inside their fence, are rotated and revoked', async () => {
  const spec = (name: string, project: string) => ({ name, project, jobs: [{ name: 'j', command: 'true' }] })
  const [mine, theirs] = await Promise.all(
    ['mine', 'theirs'].map(
      async project => (await api.post('/workflows/from_spec', spec(project, project))).body.workflow_id,
    ),
  )
  const made = await api.post('/tokens', {
    name: 'n',
    scopes: ['read', 'claim'],
    project: 'mine',
    expires_in_seconds: 600,
  })
  expect(made).toMatchObject({ status: 200, body: { token: expect.stringMatching(/^hr_\d+_\w{49}$/) } })
  const holder = callerOf(target.url, `Bearer ${made.body.token}`)
  expect((await holder.get(`/workflows/${mine}`)).status).toBe(200)
  expect((await holder.get(`/workflows/${theirs}`)).status).toBe(403)
  expect((await holder.get('/workflows')).body.items.map((item: { id: number }) => item.id)).toEqual([mine])
  expect((await holder.post(`/workflows/${mine}/claim_next_jobs`)).status).toBe(200)
  expect((await holder.post('/jobs', { workflow_id: mine, name: 'x', command: 'true' })).status).toBe(403)

  const runner = await holder.post(`/workflows/${mine}/tokens`, { expires_in_seconds: 60 })
  expect(runner.body).toMatchObject({ scopes: ['claim'], workflow_id: mine, parent_id: made.body.id })
  const rotated = await api.post(`/tokens/${made.body.id}/rotate`)
  expect((await holder.get('/workflows')).status).toBe(401)
  const renewed = callerOf(target.url, basic('ada', rotated.body.token))
  expect((await renewed.get('/workflows')).status).toBe(200)
  expect((await api.del(`/tokens/${made.body.id}`)).body.status).toBe('revoked')
  for (const token of [rotated.body.token, runner.body.token])
    expect((await callerOf(target.url, `Bearer ${token}`).get('/workflows')).status).toBe(401)
})

it('access: metrics are for whoever may see everything, health is for all', async () => {
  const metrics = (authorization: string) => fetch(`${target.url}/metrics`, { headers: { authorization } })
  const shown = await metrics(`Bearer ${target.token}`)
  expect([shown.status, await shown.text()]).toEqual([200, expect.stringContaining('headrace_jobs{status="ready"}')])
  expect((await metrics('Bearer x')).status).toBe(401)
  for (const path of ['/healthz', '/readyz']) expect((await fetch(target.url + path)).status, path).toBe(200)
})
