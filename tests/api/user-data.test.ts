import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestApp, testApp } from '../helpers/app.ts'
import { seedJob, seedWorkflow, setStatus } from '../helpers/seed.ts'

let t: TestApp
let workflow: number
beforeAll(async () => {
  t = await testApp()
  workflow = await seedWorkflow(t)
})
afterAll(() => t.close())

it('POST /user_data keeps any JSON value, falsy ones too, and null means none', async () => {
  for (const data of [{}, { a: [1] }, 0, false, '', [], 12.5, 'text']) {
    const { body } = await t.post('/user_data', { workflow_id: workflow, name: 'd', data })
    expect((await t.get(`/user_data/${body.id}`)).body).toEqual({
      id: body.id,
      workflow_id: workflow,
      name: 'd',
      is_ephemeral: false,
      data,
    })
  }
  expect((await t.post('/user_data', { workflow_id: workflow, name: 'd', data: null })).body).not.toHaveProperty('data')
})

it('PUT /user_data changes what is there and never clears data', async () => {
  const { body } = await t.post('/user_data', { workflow_id: workflow, name: 'd', data: 1 })
  expect((await t.put(`/user_data/${body.id}`, { is_ephemeral: true, data: null })).body).toMatchObject({
    name: 'd',
    is_ephemeral: true,
    data: 1,
  })
  expect((await t.put(`/user_data/${body.id}`, { data: { x: 2 } })).body.data).toEqual({ x: 2 })
})

it('POST /user_data links the item to its consumer and its producer', async () => {
  const id = await seedWorkflow(t)
  const reader = await seedJob(t, id)
  const writer = await seedJob(t, id)
  const input = (
    await t.post(`/user_data?consumer_job_id=${reader}&producer_job_id=${writer}`, { workflow_id: id, name: 'Input_1' })
  ).body.id
  await t.post('/user_data', { workflow_id: id, name: 'other', is_ephemeral: true })
  const ids = async (query: string) =>
    (await t.get(`/user_data?workflow_id=${id}&${query}`)).body.items.map((item: { id: number }) => item.id)
  expect(await ids(`consumer_job_id=${reader}`)).toEqual([input])
  expect(await ids(`producer_job_id=${writer}`)).toEqual([input])
  expect(await ids(`producer_job_id=${reader}`)).toEqual([])
  expect(await ids('name=input')).toEqual([input])
  expect(await ids('is_ephemeral=false')).toEqual([input])
  expect((await t.get(`/jobs/${reader}`)).body.input_user_data_ids).toEqual([input])
  expect((await t.get(`/workflows/${id}/job_user_data_relationships`)).body.items).toMatchObject([
    { user_data_id: input, user_data_name: 'Input_1', producer_job_id: writer, consumer_job_id: reader },
  ])
  const foreign = await seedJob(t, workflow)
  expect((await t.post(`/user_data?consumer_job_id=${foreign}`, { workflow_id: id, name: 'x' })).status).toBe(422)
  expect((await t.get(`/user_data?workflow_id=${id}`)).body.total_count).toBe(2)
})

it('missing_user_data lists inputs nobody makes and outputs of completed jobs, both without data', async () => {
  const id = await seedWorkflow(t)
  const make = async (fields: object) => (await t.post('/user_data', { workflow_id: id, name: 'd', ...fields })).body.id
  const input = await make({})
  const full = await make({ data: 1 })
  const output = await make({})
  const job = await seedJob(t, id, { input_user_data_ids: [input, full], output_user_data_ids: [output] })
  const missing = async () => (await t.get(`/workflows/${id}/missing_user_data`)).body.user_data
  expect(await missing()).toEqual([input])
  await setStatus(t, job, 'completed')
  expect(await missing()).toEqual([input, output])
})

it('POST /bulk_user_data answers in order, and DELETE tells how many went', async () => {
  const id = await seedWorkflow(t)
  const user_data = ['b', 'a'].map(name => ({ workflow_id: id, name, data: name }))
  const { body } = await t.post('/bulk_user_data', { user_data })
  expect(body.user_data).toMatchObject([
    { name: 'b', data: 'b' },
    { name: 'a', data: 'a' },
  ])
  expect((await t.post('/bulk_user_data', { user_data: [user_data[0], user_data[0]] })).status).toBe(422)
  expect((await t.del(`/user_data/${body.user_data[0].id}`)).body.name).toBe('b')
  expect((await t.del(`/user_data?workflow_id=${id}`)).body).toMatchObject({
    count: 1,
    deleted_count: 1,
    message: expect.any(String),
  })
})
