import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedWorkflow } from '../helpers/seed.ts'

let t: TestApp
beforeAll(async () => {
  t = await testApp()
})
afterAll(() => t.close())

it('events keep any data, get the time of the server, and are filtered by category and time', async () => {
  const id = await seedWorkflow(t)
  const post = async (data: unknown) => (await t.post('/events', { workflow_id: id, timestamp: 5, data })).body
  const first = await post({ category: 'a', n: 1 })
  expect(first).toEqual({ id: first.id, workflow_id: id, timestamp: t.clock.now, data: { category: 'a', n: 1 } })
  t.clock.now += 1_000
  const second = await post('just text')
  const ids = async (query: string) =>
    (await t.get(`/events?workflow_id=${id}&${query}`)).body.items.map((item: { id: number }) => item.id)
  expect(await ids('category=a')).toEqual([first.id])
  expect(await ids(`after_timestamp=${first.timestamp}`)).toEqual([second.id])
  expect(await ids('sort_by=timestamp&reverse_sort=true')).toEqual([second.id, first.id])
  expect((await t.put(`/events/${first.id}`, [1, 2])).body.data).toEqual([1, 2])
  expect((await t.post('/events', { workflow_id: id, data: 1 })).status).toBe(422)
  expect((await t.del(`/events/${first.id}`)).body.id).toBe(first.id)
  expect((await t.del(`/events?workflow_id=${id}`)).body).toEqual({ count: 1 })
})

it('recordUserAction() and recordEvent() give every event of ours a category and a severity', async () => {
  const id = await seedWorkflow(t)
  await t.post(`/workflows/${id}/archive`, { is_archived: false })
  await t.post(`/workflows/${id}/reset_status`)
  await t.post(`/workflows/${id}/reset_job_status`)
  await t.put(`/workflows/${id}/cancel`)
  const { body } = await t.get(`/events?workflow_id=${id}`)
  expect(
    body.items.map((item: { data: Record<string, unknown> }) => [
      item.data.category,
      item.data.severity,
      item.data.action,
    ]),
  ).toEqual([
    ['user_action', 'info', 'archive_workflow'],
    ['user_action', 'info', 'reset_workflow_status'],
    ['user_action', 'info', 'reset_job_status'],
    ['workflow_canceled', 'warning', undefined],
  ])
})

it.each([{}, 0, false, '', []])('events keep %j as data', async data => {
  const { body } = await t.post('/events', { workflow_id: await seedWorkflow(t), timestamp: 1, data })
  expect((await t.get(`/events/${body.id}`)).body.data).toEqual(data)
})
