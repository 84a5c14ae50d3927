import type { MapNode, SpecFormat } from '../core/spec/tree.ts'
import { NO_NOTES, type Notes } from './notes.ts'

/** Writes a workflow file in any format. Throws `Unwritable` for a value that KDL has no form for. */
export async function writeSpec(root: MapNode, format: SpecFormat, notes: Notes = NO_NOTES): Promise<string> {
  switch (format) {
    case 'yaml':
      return (await import('./write-yaml.ts')).writeYaml(root, notes)
    case 'kdl':
      return (await import('./write-kdl.ts')).writeKdl(root, notes)
    case 'json':
      return (await import('./write-json.ts')).writeJson(root)
    case 'json5':
      return (await import('./write-json.ts')).writeJson5(root, notes)
  }
}
