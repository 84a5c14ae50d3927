import * as help from './key-help.ts'
import * as keys from './keys.ts'
import type { Field, Schema, TextCheck } from './schema.ts'
import { PATTERN_OF_CHECK } from './text-checks.ts'
import type { JsonObject } from './types.ts'

/** What editors call a kind of object, and what they say about its keys. Objects that are not listed stand where they are used. */
const DEFINITIONS: readonly {
  name: string
  schema: Schema
  help: Readonly<Record<string, string>>
  rules?: JsonObject
}[] = [
  { name: 'job', schema: keys.JOB, help: help.JOB_HELP },
  { name: 'file', schema: keys.FILE, help: help.FILE_HELP },
  { name: 'user_data', schema: keys.USER_DATA, help: help.USER_DATA_HELP },
  { name: 'resource_requirements', schema: keys.RESOURCE_REQUIREMENTS, help: help.RESOURCE_REQUIREMENTS_HELP },
  { name: 'failure_handler', schema: keys.FAILURE_HANDLER, help: help.FAILURE_HANDLER_HELP },
  { name: 'failure_rule', schema: keys.FAILURE_RULE, help: help.FAILURE_RULE_HELP },
  { name: 'slurm_scheduler', schema: keys.SLURM_SCHEDULER, help: help.SLURM_SCHEDULER_HELP },
  { name: 'action', schema: keys.ACTION, help: help.ACTION_HELP, rules: actionRules() },
  { name: 'stdio', schema: keys.STDIO, help: help.STDIO_HELP },
  { name: 'retry', schema: keys.RETRY, help: help.RETRY_HELP },
  { name: 'failure_pattern', schema: keys.FAILURE_PATTERN, help: help.FAILURE_PATTERN_HELP },
  { name: 'execution_config', schema: keys.EXECUTION_CONFIG, help: help.EXECUTION_CONFIG_HELP },
  { name: 'resource_monitor', schema: keys.RESOURCE_MONITOR, help: help.RESOURCE_MONITOR_HELP },
]

/**
 * The JSON Schema (draft 7, which editors know best) of a workflow file in YAML, JSON or JSON5, made from the tables that the reader
 * itself uses. It sees keys, types and single values; what needs the whole file, names and graphs, `runner validate` checks.
 */
export function workflowJsonSchema(): JsonObject {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Headrace workflow file',
    ...objectSchema(keys.WORKFLOW, help.WORKFLOW_HELP),
    definitions: Object.fromEntries(
      DEFINITIONS.map(({ name, schema, help, rules }) => [name, { ...objectSchema(schema, help), ...rules }]),
    ),
  }
}

function objectSchema(schema: Schema, help: Readonly<Record<string, string>> = {}): JsonObject {
  const properties = Object.entries(schema.fields).map(([key, field]): [string, JsonObject] => [
    key,
    { ...(help[key] && { description: help[key] }), ...fieldSchema(field) },
  ])
  const aliases = Object.entries(schema.aliases ?? {}).map(([written, key]): [string, JsonObject] => [
    written,
    { description: `The same as ${key}.`, ...fieldSchema(schema.fields[key]!) },
  ])
  const required = Object.entries(schema.fields).flatMap(([key, field]) => ('required' in field ? [key] : []))
  return {
    type: 'object',
    properties: Object.fromEntries([...properties, ...aliases]),
    ...(required.length > 0 && { required }),
    ...(!schema.toleratesUnknown && { additionalProperties: false }),
  }
}

/** A key that may be left out may be null as well: both mean the same. */
function fieldSchema(field: Field): JsonObject {
  const typed = valueSchema(field)
  if ('required' in field || Object.keys(typed).length === 0) return typed
  return typeof typed.type === 'string'
    ? { ...typed, type: [typed.type, 'null'] }
    : { anyOf: [typed, { type: 'null' }] }
}

function valueSchema(field: Field): JsonObject {
  switch (field.is) {
    case 'text':
      return textSchema(field)
    case 'int':
      return { type: 'integer', ...rangeOf(field) }
    case 'float':
      return { type: 'number', ...rangeOf(field) }
    case 'bool':
      return { type: 'boolean' }
    case 'textList':
      return { type: 'array', items: textSchema(field) }
    case 'intList':
      return { type: 'array', items: { type: 'integer', ...rangeOf(field) } }
    case 'textMap':
      return {
        type: 'object',
        additionalProperties: { type: 'string' },
        ...(field.checkKey && { propertyNames: patternOf(field.checkKey) }),
      }
    case 'any':
      return {}
    case 'map':
      return { type: 'object' }
    case 'object':
      return referTo(field.of)
    case 'objects':
      return { type: 'array', items: referTo(field.of) }
  }
}

/** Where `variables` put a value in, an editor cannot know what the text will be. */
const PLACEHOLDER = '\\{[A-Za-z_][A-Za-z0-9_]*[:}]'

function textSchema({ oneOf, check }: { oneOf?: readonly string[]; check?: TextCheck }): JsonObject {
  if (oneOf) return { anyOf: [{ enum: [...oneOf] }, { type: 'string', pattern: PLACEHOLDER }] }
  const { pattern } = check ? patternOf(check) : {}
  return { type: 'string', ...(pattern && { pattern: `${pattern}|${PLACEHOLDER}` }) }
}

function patternOf(check: TextCheck): { pattern?: string } {
  const pattern = PATTERN_OF_CHECK.get(check)
  return pattern === undefined ? {} : { pattern }
}

function rangeOf({ min, max }: { min?: number; max?: number }): JsonObject {
  return { ...(min !== undefined && { minimum: min }), ...(max !== undefined && { maximum: max }) }
}

function referTo(schema: Schema): JsonObject {
  const definition = DEFINITIONS.find(known => known.schema === schema)
  return definition ? { $ref: `#/definitions/${definition.name}` } : objectSchema(schema)
}

/** What an action needs depends on its type and its trigger (spec-format.md 10). */
function actionRules(): JsonObject {
  const when = (key: string, values: string[], needs: JsonObject): JsonObject => ({
    if: { properties: { [key]: { enum: values } }, required: [key] },
    // biome-ignore lint/suspicious/noThenProperty: the word is JSON Schema's.
    then: needs,
  })
  return {
    allOf: [
      when('action_type', ['run_commands'], { required: ['commands'], properties: { commands: { minItems: 1 } } }),
      when('action_type', ['schedule_nodes'], { required: ['scheduler', 'scheduler_type'] }),
      when('trigger_type', ['on_jobs_ready', 'on_jobs_complete'], {
        anyOf: [{ required: ['jobs'] }, { required: ['job_name_regexes'] }],
      }),
    ],
  }
}
