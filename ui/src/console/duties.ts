// What the person signed in has to do besides what they hold, kept up to date
// for all screens.
import { onScopeDispose, ref, shallowRef } from 'vue'
import type { Told } from '@/shared/errors'
import type { Deadline } from '@/shared/types'
import * as calls from './calls'
import { nextOf } from './deadline'
import { calmly, onLive } from './live'
import { toldOf } from './problems'
import type { DutyRow, Role } from './types'

/** Auditors only read, and administrators see no complaint. */
const HAVE_DUTIES: readonly Role[] = ['expert', 'department', 'management', 'branch_manager', 'clerk']
export const hasDuties = (role: Role | undefined): boolean => role !== undefined && HAVE_DUTIES.includes(role)

const DAY = 24 * 60 * 60_000

/** By when it has to be done; null where the duty has waited since a time instead. */
export function dueOf(row: DutyRow): Deadline | null {
  if (row.duty === 'call_back') return row.next_clock === 'call_back' ? nextOf(row) : null
  if (row.duty !== 'measure') return null
  const due = Date.parse(row.at)
  return {
    clock: 'measure',
    task: null,
    policy: 0,
    from: new Date(due - DAY).toISOString(),
    due: row.at,
    ended: null,
    paused_since: null,
    paused_until: null,
    past_at_recording: false,
    calendar_covered: true,
  } as Deadline
}

export function isOverdue(row: DutyRow, now: number): boolean {
  const due = dueOf(row)
  return due !== null && Date.parse(due.due) < now
}

/** The late ones first, then as the hub gives them. */
export function inOrder(rows: readonly DutyRow[], now: number): DutyRow[] {
  const late = rows.filter((row) => isOverdue(row, now))
  return [...late, ...rows.filter((row) => !isOverdue(row, now))]
}

const rows = shallowRef<DutyRow[] | null>(null)
const problem = ref<Told | null>(null)

/** For the screens: what I have to do; null until the hub has said. */
export function useDuties() {
  return { duties: rows, dutiesError: problem }
}

/** For the frame, which is there as long as somebody is signed in. */
export function followDuties(): void {
  let over = false
  async function load(): Promise<void> {
    try {
      const now = await calls.duties()
      if (over) return
      rows.value = now.rows
      problem.value = null
    } catch (thrown) {
      if (!over) problem.value = toldOf(thrown)
    }
  }
  const again = calmly(load, 1_000)
  again()
  onLive('work_orders', again)
  onLive('complaint', again)
  onLive('tasks', again)
  onScopeDispose(() => {
    over = true
    // The next person is not shown them.
    rows.value = null
    problem.value = null
  })
}
