import type { SpecFormat } from './tree.ts'

const FORMAT_OF_EXTENSION: Record<string, SpecFormat> = {
  json: 'json',
  json5: 'json5',
  yaml: 'yaml',
  yml: 'yaml',
  kdl: 'kdl',
}

/** The format that a file name announces, in any case of letters; undefined when only trying can tell. */
export function formatOfName(fileName: string): SpecFormat | undefined {
  const extension = /\.([^./\\]+)$/.exec(fileName)?.[1]
  return extension === undefined ? undefined : FORMAT_OF_EXTENSION[extension.toLowerCase()]
}
