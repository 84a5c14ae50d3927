import { expect, it } from 'vitest'
import { callerOf, target } from './client.ts'

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
