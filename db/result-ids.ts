/** Results of one job are numbered below this; result.id = job_id * RESULT_ID_STEP + number, so they lie beside each other. */
export const RESULT_ID_STEP = 65_536

/** A job that has had this many results can store no more: the next number would be its neighbour's. */
export const MOST_RESULTS = RESULT_ID_STEP - 1
