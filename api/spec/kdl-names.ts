import {
  ACTION,
  EXECUTION_CONFIG,
  FAILURE_HANDLER,
  FAILURE_PATTERN,
  FAILURE_RULE,
  JOB,
  WORKFLOW,
} from '../core/spec/keys.ts'
import type { Schema } from '../core/spec/schema.ts'

/** KDL repeats a node per item, so it has the singular; both numbers, and other spellings in circulation, mean the list. */
const NAMES = new Map<Schema, { readonly [name: string]: string }>([
  [
    WORKFLOW,
    {
      job: 'jobs',
      file: 'files',
      failure_handler: 'failure_handlers',
      slurm_scheduler: 'slurm_schedulers',
      action: 'actions',
      access_group: 'access_groups',
      parameter: 'parameters',
      variable: 'variables',
    },
  ],
  [
    JOB,
    {
      depends_on_job: 'depends_on',
      depends_on_jobs: 'depends_on',
      depends_on_regex: 'depends_on_regexes',
      input_file: 'input_files',
      output_file: 'output_files',
      input_file_regex: 'input_file_regexes',
      output_file_regex: 'output_file_regexes',
      input_user_data_regex: 'input_user_data_regexes',
      output_user_data_regex: 'output_user_data_regexes',
      label: 'labels',
      tag: 'tags',
    },
  ],
  [FAILURE_HANDLER, { rule: 'rules' }],
  [FAILURE_RULE, { exit_code: 'exit_codes' }],
  [FAILURE_PATTERN, { exit_code: 'exit_codes', log_pattern: 'log_patterns' }],
  [
    ACTION,
    { job: 'jobs', job_name: 'jobs', job_names: 'jobs', job_name_regex: 'job_name_regexes', command: 'commands' },
  ],
  [EXECUTION_CONFIG, { job_stdio_override: 'job_stdio_overrides' }],
])

/** The key that a node or property of KDL means; the name itself when there is no other. */
export function keyOfName(schema: Schema, name: string): string {
  if (Object.hasOwn(schema.fields, name)) return name
  const meant = schema.aliases?.[name] ?? NAMES.get(schema)?.[name]
  if (meant !== undefined) return meant
  return name === 'use_parameter' && Object.hasOwn(schema.fields, 'use_parameters') ? 'use_parameters' : name
}

/** The names under which lists are written, one node per item: those that other readers of the format know as well. */
const NODES = new Map<Schema, { readonly [key: string]: string }>([
  [
    WORKFLOW,
    {
      jobs: 'job',
      files: 'file',
      user_data: 'user_data',
      resource_requirements: 'resource_requirements',
      failure_handlers: 'failure_handler',
      slurm_schedulers: 'slurm_scheduler',
      actions: 'action',
    },
  ],
  [
    JOB,
    {
      depends_on: 'depends_on',
      depends_on_regexes: 'depends_on_regexes',
      input_files: 'input_file',
      output_files: 'output_file',
      input_file_regexes: 'input_file_regexes',
      output_file_regexes: 'output_file_regexes',
      input_user_data: 'input_user_data',
      output_user_data: 'output_user_data',
      input_user_data_regexes: 'input_user_data_regexes',
      output_user_data_regexes: 'output_user_data_regexes',
    },
  ],
  [FAILURE_HANDLER, { rules: 'rule' }],
  [ACTION, { commands: 'command', job_name_regexes: 'job_name_regexes' }],
])

/** The name of the node that each item of a list gets; undefined for lists whose items stand in one node. */
export function nodeOfItem(schema: Schema, key: string): string | undefined {
  return NODES.get(schema)?.[key]
}
