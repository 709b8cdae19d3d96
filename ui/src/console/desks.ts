// What the screen of the desks shows of them: which fit the filter, figures
// made of the counts, and the numbers the sentences name. No sentence itself.
import type { Attention, Counts, DeskRow, DesksReport } from './types'

/** All, those with any reason, or those with one. */
export type Only = 'all' | 'any' | Attention

export function fitting(desks: readonly DeskRow[], words: string, only: Only): DeskRow[] {
  const wanted = words.trim().toLowerCase()
  return desks.filter((one) => {
    const named = `${one.branch} ${one.branch_name} ${one.branch}-${one.letter} ${one.name}`
    return named.toLowerCase().includes(wanted) && hasReason(one, only)
  })
}

function hasReason(one: DeskRow, only: Only): boolean {
  if (only === 'all') return true
  return only === 'any' ? one.attention.length > 0 : one.attention.includes(only)
}

/** The reasons there are, in the hub's order, for the filter. */
export function reasonsOf(desks: readonly DeskRow[]): Attention[] {
  return [...new Set(desks.flatMap((one) => one.attention))]
}

/** Seconds from opening a form to saving it, in the mean; null without any. */
export function meanSeconds(counts: Counts): number | null {
  const forms = counts.forms_timed ?? 0
  return forms === 0 ? null : (counts.form_s ?? 0) / forms
}

/** Of what was suggested, the share that was taken, from 0 to 1; null without any. */
export function takenShare(counts: Counts): number | null {
  const taken = (counts.category_taken ?? 0) + (counts.grade_taken ?? 0) + (counts.complexity_taken ?? 0)
  const changed = (counts.category_changed ?? 0) + (counts.grade_changed ?? 0) + (counts.complexity_changed ?? 0)
  return taken + changed === 0 ? null : taken / (taken + changed)
}

/** What the sentence of a reason names, apart from a length of time. */
export function named(one: DeskRow, report: Pick<DesksReport, 'usual_version'>): Record<string, string | number> {
  return {
    saves_failed: one.week.saves_failed ?? 0,
    repairs: one.week.repairs ?? 0,
    unclean_ends: one.week.unclean_ends ?? 0,
    clock_jumps: one.week.clock_jumps ?? 0,
    free: bytes(one.standing?.free_bytes ?? 0),
    version: one.standing?.version ?? '',
    usual: report.usual_version ?? '',
  }
}

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

/** A number of bytes with at most one decimal, rounded down, so that nothing looks larger than it is. */
export function bytes(count: number): string {
  let size = count
  let unit = 0
  while (size >= 1024 && unit < UNITS.length - 1) {
    size /= 1024
    unit += 1
  }
  const shown = unit === 0 || size >= 100 ? Math.floor(size) : Math.floor(size * 10) / 10
  return `${shown} ${UNITS[unit]}`
}
