/** Why a runner hands a job back that it could not even start. */
export const HAND_BACK_REASONS = ['no_cwd'] as const
export type HandBackReason = (typeof HAND_BACK_REASONS)[number]
