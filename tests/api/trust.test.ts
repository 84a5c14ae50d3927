import { expect, it } from 'vitest'
import type { AppRequest } from '../../api/context.ts'
import { findUid } from '../../api/node/peer-uid.ts'
import { isLoopback, trustsOwnUser } from '../../api/node/trust.ts'

const TABLE = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 111 1
   1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000  1001        0 222 1
   2: 0100007F:1F90 0100007F:9C40 01 00000000:00000000 00:00000000 00000000  1000        0 333 1
   3: 0100007F:9C42 0100007F:1F90 06 00000000:00000000 03:00000000 00000000     0        0 0 1
`

it('findUid() finds the owner of the other end, not of ours', () => {
  expect(findUid(TABLE, '0100007F:9C40', '0100007F:1F90')).toBe(1001)
  expect(findUid(TABLE, '0100007F:1F90', '0100007F:9C40')).toBe(1000)
})

it('findUid() knows nothing of closed connections, whose uid shows as 0, and of strange ones', () => {
  expect(findUid(TABLE, '0100007F:9C42', '0100007F:1F90')).toBeUndefined()
  expect(findUid(TABLE, '0100007F:9C99', '0100007F:1F90')).toBeUndefined()
  expect(findUid('', '0100007F:9C40', '0100007F:1F90')).toBeUndefined()
})

it('isLoopback() takes the names and addresses of this machine only', () => {
  for (const host of ['127.0.0.1', '127.8.0.1', 'localhost', '::1', '[::1]']) expect(isLoopback(host), host).toBe(true)
  for (const host of ['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.example.org', 'localhost.example.org', ''])
    expect(isLoopback(host), host).toBe(false)
})

it('trustsOwnUser() trusts no request whose connection it cannot see', () => {
  expect(trustsOwnUser()({ env: undefined } as AppRequest)).toBe(false)
})
