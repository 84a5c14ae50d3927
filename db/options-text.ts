/** Keys of ours as one JSON text; null when none is set. */
export function optionsText(options: object | undefined): string | null {
  return options === undefined ? null : JSON.stringify(options)
}
