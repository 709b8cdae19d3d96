// When a complaint should go by file: three quarters of the hour are over and
// it still waits here. The hour is the engine's; this only says what is shown.
import type { CaseView, Deadline } from '@/shared/types'

/** Of the hour, as product.md has it: minute 45. */
const SHARE = 0.75

/** The running hour of a complaint that is to go to the experts. */
export function hourOf(view: CaseView): Deadline | null {
  return view.deadlines.find((one) => one.clock === 'handoff') ?? null
}

export function asksForFile(view: CaseView, now: number): boolean {
  const hour = hourOf(view)
  if (view.row.delivery !== 'saved_here' || hour === null || hour.ended !== null) return false
  const from = Date.parse(hour.from)
  return now - from >= SHARE * (Date.parse(hour.due) - from)
}

/** The name at the end of a path of either kind of system. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).pop() ?? path
}
