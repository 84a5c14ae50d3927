/** Names and values of labels. Values never come from requests: every one of them is kept for as long as the server runs. */
export type Labels = Readonly<Record<string, string>>

export type Sample = { suffix?: string; labels?: Labels; value: number }

/** What is measured under one name. */
export type Family = {
  name: string
  type: 'counter' | 'gauge' | 'histogram'
  help: string
  samples: Iterable<Sample>
}

export const EXPOSITION_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Writes families in the text format of Prometheus 0.0.4. */
export function exposition(families: readonly Family[]): string {
  const lines: string[] = []
  for (const { name, type, help, samples } of families) {
    lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`)
    for (const { suffix = '', labels = {}, value } of samples) lines.push(`${name}${suffix}${braced(labels)} ${value}`)
  }
  return `${lines.join('\n')}\n`
}

function braced(labels: Labels): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`)
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`
}

const escaped = (value: string): string => value.replace(/[\\"\n]/g, sign => (sign === '\n' ? '\\n' : `\\${sign}`))
