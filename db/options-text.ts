/** Keys of ours as one JSON text; null when none is set. */
export function optionsText(options: object): string | null {
  const text = JSON.stringify(options)
  return text === '{}' ? null : text
}
