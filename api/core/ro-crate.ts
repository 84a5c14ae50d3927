/** What an initialise writes about a workflow's files and about the server into its RO-Crate (contract/notes.md 8.1, 19.11). */

type Metadata = Record<string, unknown>

export type CrateFile = {
  /** The `@id` of its entity. */
  entityId: string
  name: string
  path: string
  /** Seconds since 1970; null when nobody has seen the file yet. */
  stMtime: number | null
}

/** The media types of files that workflows usually read and write, by the end of their names. */
const MEDIA_TYPES: Readonly<Record<string, string>> = {
  bin: 'application/octet-stream',
  csv: 'text/csv',
  gz: 'application/gzip',
  h5: 'application/x-hdf5',
  hdf5: 'application/x-hdf5',
  html: 'text/html',
  jpg: 'image/jpeg',
  json: 'application/json',
  log: 'text/plain',
  md: 'text/markdown',
  nc: 'application/x-netcdf',
  parquet: 'application/vnd.apache.parquet',
  pdf: 'application/pdf',
  png: 'image/png',
  py: 'text/x-python',
  svg: 'image/svg+xml',
  tar: 'application/x-tar',
  toml: 'application/toml',
  tsv: 'text/tab-separated-values',
  txt: 'text/plain',
  xml: 'application/xml',
  yaml: 'application/yaml',
  yml: 'application/yaml',
  zip: 'application/zip',
}

const FILE_TYPES = ['File', 'prov:Entity']

export function mediaTypeOf(path: string): string {
  const name = path.slice(path.lastIndexOf('/') + 1)
  const dot = name.lastIndexOf('.')
  const ending = dot > 0 ? name.slice(dot + 1).toLowerCase() : ''
  return (Object.hasOwn(MEDIA_TYPES, ending) && MEDIA_TYPES[ending]) || 'application/octet-stream'
}

/** The metadata of a file's entity as the file is now; what others have written there besides stays. */
export function fileMetadata(before: Metadata, file: CrateFile): Metadata {
  return {
    ...before,
    '@id': file.entityId,
    '@type': FILE_TYPES,
    name: file.name,
    encodingFormat: mediaTypeOf(file.path),
    ...dateModified(file.stMtime),
  }
}

/** Nothing for a moment that no calendar has: clients may store any number. */
function dateModified(stMtime: number | null): Metadata {
  const moment = new Date(stMtime === null ? Number.NaN : stMtime * 1000)
  return Number.isNaN(moment.getTime()) ? {} : { dateModified: moment.toISOString() }
}

/** The entity of the server that a run is scheduled by. */
export const serverEntityId = (runId: number): string => `#software-torc-server-run-id-${runId}`

export const serverMetadata = (runId: number): Metadata => ({
  '@id': serverEntityId(runId),
  '@type': 'SoftwareApplication',
  name: 'headrace',
})
