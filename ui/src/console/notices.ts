// What has come since this window looked last, as notices to show. Which were
// shown is remembered by name, for a reload; nothing here shows anything.
import { keyOf } from './escalations'
import type { EscalationRow, Level, QuarantineRow, WorkOrder } from './types'

/** Only this of a complaint is told: a notice may be read by whoever stands near. */
export interface CaseNotice {
  key: string
  /** The complaint. */
  id: string
  reference: string
  kind: Level | 'alert'
  clock: EscalationRow['escalation']['clock']
}

/** And only this of a record set aside that was entrusted to somebody. */
export interface RecordNotice {
  key: string
  kind: 'set_aside'
  branch: string
}

export type Notice = CaseNotice | RecordNotice

export type Tone = 'error' | 'warning' | 'info'
export const TONES = { alert: 'error', report: 'error', copy: 'warning', set_aside: 'warning', remind: 'info' } as const satisfies Record<
  Notice['kind'],
  Tone
>

export function ofEscalations(rows: readonly EscalationRow[]): CaseNotice[] {
  return rows.map((row) => ({
    key: keyOf(row),
    id: row.order.id,
    reference: row.order.reference,
    kind: row.escalation.level,
    clock: row.escalation.clock,
  }))
}

export function ofAlerts(alerts: readonly WorkOrder[]): CaseNotice[] {
  return alerts.map(({ id, reference }) => ({ key: `${id}/alert`, id, reference, kind: 'alert', clock: 'grade1_alert' }))
}

/** One that was given away and comes back is news again. */
export function ofRecords(mine: readonly QuarantineRow[]): RecordNotice[] {
  return mine.map(({ id, branch, holder }) => ({ key: `${id}/${holder?.since}`, kind: 'set_aside', branch }))
}

/** What must not be among those that are left out. */
const GRAVEST: readonly Notice['kind'][] = ['alert', 'report', 'copy', 'set_aside', 'remind']

/** At most so many at once; a flood hides what it tells of. */
const MOST = 3

export interface Told<One extends Notice> {
  show: One[]
  /** How many more came. */
  more: number
}

type Store = Pick<Storage, 'getItem' | 'setItem'>

/** The session's storage; where that is switched off, one that lasts as long as the page. */
export function keptInSession(): Store {
  try {
    return window.sessionStorage
  } catch {
    const kept = new Map<string, string>()
    return { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => void kept.set(key, value) }
  }
}

/**
 * Tells of each list what is new in it. What stands there when a session first
 * looks is no news. `place` is of one person and one list, so that neither
 * hides what is new for another.
 */
export function newcomers<One extends Notice>(place: string, listed: readonly One[], store: Store): Told<One> {
  const known = remembered(place, store)
  const keys = listed.map((one) => one.key)
  // Only what is still listed: what comes back is news again.
  if (known === null || !same(known, keys)) store.setItem(place, JSON.stringify(keys))
  if (known === null) return { show: [], more: 0 }
  const fresh = listed.filter((one) => !known.includes(one.key))
  fresh.sort((a, b) => GRAVEST.indexOf(a.kind) - GRAVEST.indexOf(b.kind))
  return { show: fresh.slice(0, MOST), more: Math.max(0, fresh.length - MOST) }
}

function same(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((key, index) => key === other[index])
}

function remembered(place: string, store: Store): string[] | null {
  try {
    const kept: unknown = JSON.parse(store.getItem(place) ?? 'null')
    return Array.isArray(kept) ? kept.map(String) : null
  } catch {
    return null
  }
}
