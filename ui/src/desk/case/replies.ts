// What the ledger tells beside a case's own fields: which lines are of the
// branch, how far each reply to a question has come, and which complaint
// another is answered with.
import type { CaseView, Delivery, FactKind, Role, TimelineEntry } from '@/shared/types'

type Told = Pick<TimelineEntry, 'fact' | 'delivery' | 'late_note'>

const STAFF: readonly Role[] = ['clerk', 'branch_manager']
/** What a desk writes by rule; whatever else the system writes, the hub does. */
const BY_RULE: readonly FactKind[] = ['handed_off', 'time_corrected']

/**
 * Whether a line was written at the branch. Only of such a line is it a
 * question whether the hub has it: every other one comes from there.
 */
export function isOfBranch({ actor_role, kind }: Pick<TimelineEntry, 'actor_role' | 'kind'>): boolean {
  return STAFF.includes(actor_role) || (actor_role === 'system' && BY_RULE.includes(kind))
}

/** The delivery of each reply, in order, by the question's id. */
export function sentReplies(timeline: readonly Told[]): Map<string, Delivery[]> {
  const sent = new Map<string, Delivery[]>()
  for (const { fact, delivery, late_note } of timeline) {
    // What came too late is a line of the ledger and no reply.
    if (fact.kind !== 'replied' || late_note) continue
    sent.set(fact.question, [...(sent.get(fact.question) ?? []), delivery])
  }
  return sent
}

/** The number of the complaint that leads; null where there is none or it is not told. */
export function leaderOf(view: { row: Pick<CaseView['row'], 'follows'>; timeline: readonly Told[] }): string | null {
  const { follows } = view.row
  if (follows === null) return null
  const linked = new Map<string, string>()
  for (const { fact } of view.timeline) {
    if (fact.kind === 'linked' && fact.relation === follows) linked.set(fact.to, fact.reference)
    if (fact.kind === 'unlinked') linked.delete(fact.to)
  }
  return [...linked.values()].at(-1) ?? null
}
