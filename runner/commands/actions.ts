import { TRIGGER_TYPES } from '../../api/core/spec/keys.ts'
import { nounGroup } from '../nouns/noun.ts'

export default nounGroup({
  name: 'actions',
  one: 'action',
  many: 'actions',
  about: 'What a workflow does besides its jobs, such as running commands when it starts or asking for nodes.',
  takesWorkflow: true,
  readFromList: true,
  listPath: workflowId => `/workflows/${workflowId}/actions`,
  itemPath: (id, workflowId) => `/workflows/${workflowId}/actions/${id}`,
  columns: ['id', 'trigger_type', 'action_type', 'trigger_count', 'required_triggers', 'executed', 'action_config'],
  fields: {
    trigger_type: {
      kind: 'text',
      about: 'when it happens',
      hint: TRIGGER_TYPES.join('|'),
      required: true,
      only: 'create',
    },
    action_type: { kind: 'text', about: 'run_commands or schedule_nodes', required: true, only: 'create' },
    action_config: { kind: 'json', about: 'its settings; a change replaces the keys it names', required: true },
    job_ids: { kind: 'ids', about: 'the jobs that on_jobs_ready and on_jobs_complete wait for', only: 'create' },
    persistent: { kind: 'truth', about: 'whether every runner does it', only: 'create' },
  },
  changeBody: given => given.action_config,
  example: {
    create: `--trigger-type on_workflow_start --action-type run_commands --action-config '{"commands": ["mkdir -p out"]}'`,
    update: `--action-config '{"commands": ["mkdir -p results"]}'`,
  },
})
