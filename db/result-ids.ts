/** Results of one job are numbered below this; result.id = job_id * RESULT_ID_STEP + number, so they lie beside each other. */
export const RESULT_ID_STEP = 65_536
