// The hub's ledger lines in the shape the shared timeline reads.
import type { TimelineEntry as ShownEntry } from '@/shared/types'
import type { TimelineEntry } from './types'

/** A device's clock is worth a word when it was off by more than this. */
const CLOCK_OFF_MS = 60_000
/** Enough of the hash to compare by telephone. */
const HASH_SHOWN = 8

export function timelineOf(entries: TimelineEntry[]): Omit<ShownEntry, 'delivery'>[] {
  return entries.map((entry) => ({
    at: entry.at,
    wall: Math.abs(Date.parse(entry.wall) - Date.parse(entry.at)) > CLOCK_OFF_MS ? entry.wall : null,
    was: entry.was ?? null,
    kind: entry.kind,
    actor_name: entry.actor.name,
    actor_role: entry.actor.role,
    fact: entry.fact,
    late_note: entry.effect === 'late_note',
    hash: entry.hash.slice(0, HASH_SHOWN),
  }))
}
