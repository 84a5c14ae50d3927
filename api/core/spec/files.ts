import { type Copies, describeCopy } from './copies.ts'
import type { SpecContext } from './env.ts'
import type { FILE } from './keys.ts'
import { addName, createNameIndex, type NameIndex } from './names.ts'
import { type Expanding, type ParameterReader, readCopies } from './parameters.ts'
import { placeOf, type SpecObject } from './schema.ts'
import { compileTemplate, renderTemplate, type Template } from './template.ts'
import { spendText } from './text-budget.ts'
import type { ExpandedFile } from './types.ts'

type FileObject = SpecObject<typeof FILE>

export interface FileExpansion {
  files: ExpandedFile[]
  /** The entry behind each file. */
  objects: FileObject[]
  names: NameIndex
  templates: Expanding<FileObject>[]
}

/** Makes the copies of every file, in the order of the file; copies of one name and path become one. */
export function expandFiles(
  objects: readonly FileObject[],
  parameters: ParameterReader,
  context: SpecContext,
): FileExpansion {
  const { entries, complete } = readCopies(objects, 'files', parameters, context)
  const expansion: FileExpansion = { files: [], objects: [], names: createNameIndex(), templates: entries }
  expansion.names.complete = complete
  const nameOfPath = new Map<string, string>()
  for (const { object, copies } of entries) {
    const firstOwn = expansion.files.length
    const makeFile = createFileMaker(object, copies)
    for (let copy = 0; copy < copies.count; copy++) {
      const file = makeFile(copy)
      const earlier = expansion.names.indexOf.get(file.name)
      if (earlier !== undefined) {
        checkEqualName(file, expansion.files[earlier]!, earlier >= firstOwn, object, copies, copy, context)
        continue
      }
      if (!spendText(file.name.length + file.path.length, object, context)) return expansion
      warnSamePath(file, nameOfPath, object, context)
      expansion.files.push(file)
      expansion.objects.push(object)
      addName(expansion.names, file.name)
    }
  }
  return expansion
}

function createFileMaker(object: FileObject, copies: Copies): (copy: number) => ExpandedFile {
  const compile = (text: { value: string } | undefined): Template =>
    compileTemplate(text?.value ?? '', copies.parameters)
  const name = compile(object.get.name)
  const path = compile(object.get.path)
  const identifier = object.get.identifier && compile(object.get.identifier)
  const stMtime = object.get.st_mtime?.value
  return copy => ({
    name: renderTemplate(name, copy),
    path: renderTemplate(path, copy),
    stMtime,
    identifier: identifier === undefined ? undefined : renderTemplate(identifier, copy),
  })
}

function checkEqualName(
  file: ExpandedFile,
  earlier: ExpandedFile,
  isSameEntry: boolean,
  object: FileObject,
  copies: Copies,
  copy: number,
  { report }: SpecContext,
): void {
  if (isSameEntry && file.path === earlier.path) return
  const message = `another file is already called "${file.name}"${describeCopy(copies, copy)}`
  report.error(
    'duplicate_name',
    placeOf(object, 'name'),
    message,
    isSameEntry ? 'put every parameter of the path into the name' : undefined,
  )
}

function warnSamePath(
  file: ExpandedFile,
  nameOfPath: Map<string, string>,
  object: FileObject,
  { report }: SpecContext,
): void {
  const other = nameOfPath.get(file.path)
  if (other === undefined) nameOfPath.set(file.path, file.name)
  else
    report.warn(
      'same_path',
      placeOf(object, 'path'),
      `the files "${other}" and "${file.name}" have one path, "${file.path}"`,
    )
}
