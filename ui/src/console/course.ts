// What is open in the course of a case, and for whom: questions, requests for
// more time, measures. Which step may be taken the hub says; this tells which
// thing the step is about.
import { isOpen } from '@/shared/course'
import type { ComplaintView, Extension, Me, Planned, Question, Task, Vote } from './types'

type Who = Pick<Me, 'id' | 'role'> | null

/** Nobody has answered yet. */
export const openQuestions = (view: ComplaintView): Question[] =>
  view.questions.filter(isOpen)

export const openTasks = (view: ComplaintView): Task[] =>
  view.tasks.filter((task) => task.state === 'sent' || task.state === 'accepted')

/** A department's tasks that are not reported yet. */
export const ownTasks = (view: ComplaintView, who: Who): Task[] =>
  who?.role === 'department' ? openTasks(view).filter((task) => task.department === who.id) : []

/** Requests this person decides: management the outer limit's, an expert a task's. */
export const requestsFor = (view: ComplaintView, who: Who): Extension[] =>
  view.extensions.filter((one) => !one.outcome && (one.task ? who?.role === 'expert' : who?.role === 'management'))

/** Measures whose progress this person tells: their own, and all of who holds the case. */
export const ownMeasures = (view: ComplaintView, who: Who): Planned[] =>
  view.plan.filter((one) => who !== null && (one.staff === who.id || view.claim?.expert === who.id))

export const openMeasures = (plan: readonly Planned[]): Planned[] => plan.filter((one) => !one.done_at)

export interface Longer {
  task: string | null
  /** When it ends now. */
  due: string
  /** As late as it may end. */
  latest: string
  /** It has ended: nothing can be lengthened any more. */
  over: boolean
}

/** A deadline that may be lengthened, by no more than it had to begin with. */
export function longer(view: ComplaintView, task: string | null, now: number): Longer | null {
  const clock = task === null ? 'outer_limit' : 'department'
  const deadline = view.deadlines.find((one) => one.running && one.clock === clock && (one.task ?? null) === task)
  if (deadline === undefined) return null
  const due = Date.parse(deadline.due)
  const latest = new Date(due + (due - Date.parse(deadline.from))).toISOString()
  return { task, due: deadline.due, latest, over: due <= now }
}

/** What is wrong with a new end. */
export function untilProblem(until: string, { due, latest }: Longer): 'not_later' | 'too_late' | null {
  const at = Date.parse(until)
  if (!(at > Date.parse(due))) return 'not_later'
  return at > Date.parse(latest) ? 'too_late' : null
}

/** The request for approval that counts: the last one. */
export const lastApproval = (view: ComplaintView) => view.approvals.at(-1)

/** The least of the sums the votes name. */
export function sumOf(votes: readonly Vote[]): number | null {
  const sums = votes.flatMap((vote) => (typeof vote.compensation_minor === 'number' ? [vote.compensation_minor] : []))
  return sums.length === 0 ? null : Math.min(...sums)
}

/** What to propose in the answer: what was asked for or reported, no more than may be given. */
export function sumToGive(view: ComplaintView): number | null {
  const proposed = view.limits?.approved ?? view.report?.compensation_minor
  if (typeof proposed !== 'number') return null
  return Math.min(proposed, view.limits?.most ?? proposed)
}

/** The name of each evidence file, by its id, as the ledger tells it. */
export function fileNames(view: ComplaintView): Map<string, string> {
  const named = new Map<string, string>()
  for (const { fact } of view.timeline) if (fact.kind === 'evidence_added') named.set(fact.file.id, fact.file.name)
  return named
}
