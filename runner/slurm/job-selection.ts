/** How the jobs of an action are named in a file. */
export type JobSelection = { jobs: string[]; job_name_regexes: string[] }

/** Fewer names than this are listed; more are said by the patterns of their templates where these hit nothing else. */
const LISTED_MOST = 20

const PLACEHOLDER = /\{[^{}]*\}/

/**
 * Names jobs as short as it goes without naming another one: templates are the names of jobs as the file has them, `run_{i}`.
 * Every job of the workflow is in `all`.
 */
export function selectJobs(
  wanted: readonly string[],
  all: readonly string[],
  templates: readonly string[],
): JobSelection {
  if (wanted.length <= LISTED_MOST) return { jobs: [...wanted], job_name_regexes: [] }
  const left = new Set(wanted)
  const patterns: string[] = []
  for (const template of templates) {
    if (!PLACEHOLDER.test(template)) continue
    const pattern = patternOf(template)
    const hits = all.filter(name => new RegExp(pattern).test(name))
    if (hits.length < 2 || !hits.every(name => left.has(name))) continue
    patterns.push(pattern)
    for (const name of hits) left.delete(name)
  }
  return { jobs: [...left], job_name_regexes: patterns }
}

/** Every placeholder is any text. */
const patternOf = (template: string): string => `^${template.split(PLACEHOLDER).map(escapeRegExp).join('.+')}$`

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')
