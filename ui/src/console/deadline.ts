// The clock a list shows for a work order, in the shape the badge reads.
import type { Deadline, StubView, Task, WorkOrder } from './types'

const DAY = 24 * 60 * 60_000
/** A list does not tell which version of the rules a clock is counted with. */
const OF_NO_TASK = { task: null, policy: 0 }

/**
 * A list's line tells when its nearest clock ends, not when it began. Nothing
 * of a list should call for attention for longer than the last quarter of a
 * day, so a longer clock is shown as if it had begun a day before its end.
 */
export function nextOf(row: WorkOrder): Deadline | null {
  if (row.next_clock === null || row.next_due === null) return null
  const due = Date.parse(row.next_due)
  const from = Math.max(Date.parse(row.arrived_at), due - DAY)
  return {
    ...OF_NO_TASK,
    clock: row.next_clock,
    from: new Date(from).toISOString(),
    due: row.next_due,
    ended: null,
    paused_since: null,
    paused_until: null,
    past_at_recording: false,
    calendar_covered: true,
  }
}

/** The hour of a complaint known by telephone: only its record ends it. */
export function stubClock(stub: StubView): Deadline {
  return {
    ...OF_NO_TASK,
    clock: 'handoff',
    from: stub.arrived_at,
    due: stub.due_at,
    ended: null,
    paused_since: null,
    paused_until: null,
    past_at_recording: false,
    calendar_covered: true,
  }
}

/** A department's own clock. */
export function taskClock(task: Task): Deadline {
  return {
    ...OF_NO_TASK,
    clock: 'department',
    task: task.id,
    from: task.sent_at,
    due: task.due_at,
    ended: task.ended_at,
    paused_since: null,
    paused_until: null,
    past_at_recording: false,
    calendar_covered: true,
  }
}
