// What there is to show of the experts' work on a complaint.
import type { CaseView, TaskProgress } from '@/shared/types'

type Course = Pick<CaseView, 'with_experts' | 'tasks' | 'plan' | 'extension' | 'paused' | 'cycle'>

export function hasProgress(view: Course): boolean {
  const { tasks, plan, extension, paused, cycle } = view
  return view.with_experts || tasks.length > 0 || plan.length > 0 || extension !== null || paused !== null || cycle > 1
}

/** Whether the customer was asked afterwards, is to be, or has rated the answer. */
export function hasAfter({ call_back, rating }: Pick<CaseView, 'call_back' | 'rating'>): boolean {
  const { assigned, tries, satisfied } = call_back
  return rating !== null || assigned !== null || tries.length > 0 || satisfied !== null
}

/** A department that has neither reported nor been let off in time. */
export function isTaskLate({ state, due_at }: Pick<TaskProgress, 'state' | 'due_at'>, now: number): boolean {
  return (state === 'sent' || state === 'accepted') && Date.parse(due_at) < now
}
