import { formatDiagnostic } from '../api/core/spec/report.ts'
import { print, printJson } from './command-line/output.ts'
import type { ExitCode } from './command-line/verb.ts'
import { counted } from './screen/format.ts'
import type { SpecFile } from './spec-file.ts'

export type ReportOptions = {
  asJson: boolean
  /** The code of each problem stands behind its line. */
  withCodes?: boolean
  /** Warnings make a file bad, too. */
  strict?: boolean
}

/**
 * Prints the facts of a checked file (spec-format.md 2), for a person or as one document. Problems are results here, so they go to standard
 * output. Exit code 0 when the file is valid, 1 when not.
 */
export function reportSpec(spec: SpecFile, { asJson, withCodes = false, strict = false }: ReportOptions): ExitCode {
  const { errors, warnings, summary, diagnostics } = spec
  const valid = errors.length === 0
  if (asJson) printJson({ valid, errors, warnings, summary, diagnostics })
  else {
    const lines = withCodes
      ? diagnostics.map(diagnostic => `${formatDiagnostic(diagnostic)} [${diagnostic.code}]`)
      : [...errors, ...warnings]
    print([...lines, verdict(spec)].join('\n'))
  }
  return valid && !(strict && warnings.length > 0) ? 0 : 1
}

function verdict({ errors, warnings, summary }: SpecFile): string {
  if (errors.length > 0) return `Not valid: ${counted(errors.length, 'error')}`
  const facts = [
    counted(summary.job_count, 'job'),
    counted(summary.file_count, 'file'),
    `${summary.user_data_count} user data`,
    counted(summary.resource_requirements_count, 'resource set'),
    counted(summary.slurm_scheduler_count, 'scheduler'),
    counted(summary.action_count, 'action'),
  ]
  const doubts = warnings.length > 0 ? `, ${counted(warnings.length, 'warning')}` : ''
  return `Valid: ${summary.workflow_name} (${facts.join(', ')})${doubts}`
}
