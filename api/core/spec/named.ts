import type { SpecContext } from './env.ts'
import { addName, createNameIndex, type NameIndex } from './names.ts'
import { placeOf, type SpecObject } from './schema.ts'
import type { TextNode } from './tree.ts'

/** An entry that is known by its name and is not copied: a set, a scheduler, a failure handler. */
type NamedObject = SpecObject<{ what: string; fields: { name: { is: 'text' } } }>

/**
 * Reads entries by name. Reports a name given twice; an entry without the name key is left out with a warning where it is optional
 * (a missing required name was reported with the types).
 */
export function readNamed<O extends NamedObject, T>(
  objects: readonly O[],
  noun: string,
  read: (object: O, name: string) => T,
  { report }: SpecContext,
): { items: T[]; names: NameIndex } {
  const items: T[] = []
  const names = createNameIndex()
  for (const object of objects) {
    const name: TextNode | undefined = object.get.name
    if (!name) {
      names.complete = false
      continue
    }
    if (names.indexOf.has(name.value)) {
      report.error('duplicate_name', placeOf(object, 'name'), `another ${noun} is already called "${name.value}"`)
      continue
    }
    addName(names, name.value)
    items.push(read(object, name.value))
  }
  return { items, names }
}

/** Leaves out entries without a name, with a warning: nothing can refer to them. */
export function dropUnnamed<O extends NamedObject>(objects: readonly O[], { report }: SpecContext): O[] {
  return objects.filter(object => {
    if (object.entries.has('name')) return true
    report.warn('unnamed_entry', { at: object.node.at, path: object.path }, 'this entry has no name and is left out')
    return false
  })
}
