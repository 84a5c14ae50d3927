import { type Copies, describeCopy } from './copies.ts'
import { compareCodePoints } from './data-json.ts'
import type { SpecContext } from './env.ts'
import type { JOB } from './keys.ts'
import { itemPlaceOf, placeOf, type SpecObject } from './schema.ts'
import { compileTemplate, renderTemplate } from './template.ts'

/**
 * Reads the labels of a job: a sorted set per copy. Reports a label that a runner could not be given, and labels beside a scheduler,
 * since runners that a scheduler starts have none.
 */
export function readLabels(
  object: SpecObject<typeof JOB>,
  copies: Copies,
  { report }: SpecContext,
): (copy: number) => string[] {
  const items = object.get.labels?.items ?? []
  if (items.length === 0) return () => []
  if (object.get.scheduler) {
    report.error(
      'label_with_scheduler',
      placeOf(object, 'labels'),
      'a job with a scheduler cannot have labels',
      'remove one of the two',
    )
  }
  const labels = items.map(item => ({ item, template: compileTemplate(item.value, copies.parameters) }))
  return copy => {
    const texts = labels.map(({ item, template }) => {
      const text = renderTemplate(template, copy)
      if (text === '' || text.includes(',') || text.trim() !== text) {
        const message = `"${text}" is no label${describeCopy(copies, copy)}`
        report.error(
          'bad_label',
          itemPlaceOf(object, 'labels', item),
          message,
          'not empty, no comma, no blank at either end',
        )
      }
      return text
    })
    return [...new Set(texts)].sort(compareCodePoints)
  }
}
