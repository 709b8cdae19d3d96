// The course of a case as both sides show it: which questions wait, and how a
// measure of the plan stands against its time.
import type { Planned } from './types'

interface Asked {
  replies: readonly unknown[]
}

/** Nobody has answered yet. */
export const isOpen = (asked: Asked): boolean => asked.replies.length === 0

/** Those that wait for an answer first; otherwise as they were asked. */
export function openFirst<Q extends Asked>(questions: readonly Q[]): Q[] {
  return [...questions.filter(isOpen), ...questions.filter((one) => !isOpen(one))]
}

type Timed = Pick<Planned, 'due_at' | 'done_at'>

/** Not done in time, or done later than that. */
export function isLate(measure: Timed, now: number): boolean {
  const until = measure.done_at ? Date.parse(measure.done_at) : now
  return until > Date.parse(measure.due_at)
}

/** What stands beside a measure; nothing while it runs in time. */
export function markOf(measure: Timed, now: number): 'done' | 'done_late' | 'late' | null {
  if (isLate(measure, now)) return measure.done_at ? 'done_late' : 'late'
  return measure.done_at ? 'done' : null
}
