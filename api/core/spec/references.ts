/** What a reference in a command names. */
export interface Reference {
  /** `files` or `user_data`. */
  noun: string
  /** `input` or `output`, if written well. */
  direction: string
  name: string
  /** Counts the `${` before it, to find it again in the template. */
  ordinal: number
}

/** Also catches what was meant as one (`${file.input.x}`, `${files.in.x}`): the shell knows no name with a dot. */
const REFERENCE = /\$\{(?:(files?|user_data)\.([^}.]*)\.?([^}]*)\})?/g

/** Puts paths and data in for `${files.input.NAME}` and the like; inserted text is not searched again. Other `${…}` is left to the shell. */
export function replaceReferences(text: string, resolve: (reference: Reference) => string | undefined): string {
  if (!text.includes('${')) return text
  // Behind the last brace no reference ends; looking for one from every `${` there would take quadratic time.
  const end = text.lastIndexOf('}') + 1
  let ordinal = -1
  const replaced = text
    .slice(0, end)
    .replace(REFERENCE, (written: string, noun: string | undefined, direction: string, name: string) => {
      ordinal++
      return noun === undefined ? written : (resolve({ noun, direction, name, ordinal }) ?? written)
    })
  return replaced + text.slice(end)
}

/** Where the n-th `${` of a template stands; its start when the copy has more of them than the template. */
export function referenceIndex(template: string, ordinal: number): number {
  let at = template.indexOf('${')
  for (let count = 0; count < ordinal && at >= 0; count++) at = template.indexOf('${', at + 1)
  return Math.max(at, 0)
}
