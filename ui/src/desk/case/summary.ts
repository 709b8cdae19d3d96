// What the printed summary takes from a case.
import type { CaseView } from '@/shared/types'

/** When the answer that stands was given; null for one that only a newer program understands. */
export function answeredAt(view: Pick<CaseView, 'timeline'>): string | null {
  const given = view.timeline.filter((entry) => entry.kind === 'settled' || entry.kind === 'answered')
  return given.at(-1)?.at ?? null
}
