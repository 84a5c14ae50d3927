import * as v from 'valibot'
import {
  NewPipeRun,
  NewPipeRunner,
  PipeIngestion,
  PipeObservation,
  PipePostStep,
  PipePostStepEnd,
  PipeProgressRequest,
  PipeRunChange,
  PipeStrike,
  PipeSubmissionChange,
} from '../../contract/pipe.ts'
import { itemsOf } from '../models/common.ts'
import {
  PipeCanceled,
  PipeDecided,
  PipeGroup,
  PipeMember,
  PipePlan,
  PipePostStepTaken,
  PipeProgress,
  PipeRunModel,
  PipeSubmission,
} from '../models/pipe.ts'
import { type Operation, tagged } from '../operation.ts'

const pipe = tagged('pipe runs')

export const PIPE_OPERATIONS: readonly Operation[] = [
  pipe('post', '/workflows/{id}/pipe_runs', 'stage_pipe_run', 'Freezes jobs of one kind for an array', {
    query: { dry_run: 'boolean' },
    body: NewPipeRun,
    reply: v.union([PipeRunModel, PipePlan]),
    creates: true,
  }),
  pipe('get', '/workflows/{id}/pipe_runs', 'list_pipe_runs', 'Lists those of a workflow', {
    reply: itemsOf(PipeRunModel),
  }),
  pipe('get', '/workflows/{id}/pipe_groups', 'list_pipe_groups', 'Open jobs by what may share an array', {
    reply: itemsOf(PipeGroup),
  }),
  pipe('get', '/pipe_runs/{id}', 'get_pipe_run', 'Shows one', { reply: PipeRunModel }),
  pipe('put', '/pipe_runs/{id}', 'update_pipe_run', 'Moves it to another state, or says where its directory is', {
    body: PipeRunChange,
    reply: PipeRunModel,
  }),
  pipe('get', '/pipe_runs/{id}/members', 'list_pipe_members', 'Its jobs', {
    query: { after_id: 'integer', limit: 'integer' },
    reply: itemsOf(PipeMember),
  }),
  pipe('post', '/pipe_runs/{id}/cancel', 'cancel_pipe_run', 'Ends it, with its jobs that have not ended', {
    reply: PipeCanceled,
  }),
  pipe('post', '/pipe_runs/{id}/runners', 'add_pipe_runner', 'An element begins', {
    body: NewPipeRunner,
    reply: PipeProgress,
  }),
  pipe('post', '/pipe_runs/{id}/progress', 'get_pipe_progress', 'An element lives, and asks how far its run is', {
    body: PipeProgressRequest,
    bodyOptional: true,
    reply: PipeProgress,
  }),
  pipe('post', '/pipe_runs/{id}/observe', 'observe_pipe_run', 'Takes in a listing and decides about more elements', {
    body: PipeObservation,
    reply: PipeDecided,
  }),
  pipe('put', '/pipe_runs/{id}/submissions/{submission_id}', 'record_pipe_submission', 'Records what came of it', {
    body: PipeSubmissionChange,
    reply: PipeSubmission,
  }),
  pipe('post', '/pipe_runs/{id}/strikes', 'strike_pipe_run', 'A look at it went wrong; the third in a row ends it', {
    body: PipeStrike,
    reply: PipeRunModel,
  }),
  pipe('post', '/pipe_runs/{id}/ingestion', 'ingest_pipe_run', 'Its result files were read', {
    body: PipeIngestion,
    reply: PipeRunModel,
  }),
  pipe('post', '/pipe_runs/{id}/post_step/claim', 'claim_pipe_post_step', 'Takes the step after it, once', {
    body: PipePostStep,
    reply: PipePostStepTaken,
  }),
  pipe('post', '/pipe_runs/{id}/post_step', 'end_pipe_post_step', 'Records how that step ended', {
    body: PipePostStepEnd,
    reply: PipeRunModel,
  }),
]
