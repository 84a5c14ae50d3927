import { expect, it } from 'vitest'
import { fileMetadata, mediaTypeOf, serverEntityId } from '../../api/core/ro-crate.ts'

it.each([
  ['out/table.CSV', 'text/csv'],
  ['archive.tar.gz', 'application/gzip'],
  ['no ending', 'application/octet-stream'],
  ['.hidden', 'application/octet-stream'],
  ['dir.csv/file', 'application/octet-stream'],
  ['x.constructor', 'application/octet-stream'],
])('mediaTypeOf(%j) is %s', (path, type) => {
  expect(mediaTypeOf(path)).toBe(type)
})

it('fileMetadata() keeps what it does not know, and the last date of a file that has vanished', () => {
  const file = { entityId: '#f', name: 'f', path: 'f.txt', stMtime: null }
  const before = { author: 'a', name: 'old', dateModified: '2026-01-01T00:00:00.000Z' }
  expect(fileMetadata(before, file)).toEqual({
    author: 'a',
    '@id': '#f',
    '@type': ['File', 'prov:Entity'],
    name: 'f',
    encodingFormat: 'text/plain',
    dateModified: '2026-01-01T00:00:00.000Z',
  })
})

it('serverEntityId() names the run', () => {
  expect(serverEntityId(3)).toBe('#software-torc-server-run-id-3')
})
