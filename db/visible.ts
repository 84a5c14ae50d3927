/** The states, for SQL, in which clients see a workflow. One being initialized is seen but hands out nothing; others are pieces. */
export const VISIBLE = `'live', 'initializing'`
