// Times as people read them. The present is passed in; `now` below is the one
// ticking value that live views share, so that a screen has one timer, not one
// per badge.
import { onScopeDispose, ref, type Ref } from 'vue'
import type { Locale } from './settings'
import type { Deadline } from './types'

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** A text's key with its parameters; views translate it. */
export interface Phrase {
  key: string
  params: Record<string, string | number>
}

/** A length of time in at most two units; seconds only below a minute. */
export function span(ms: number): Phrase {
  const size = Math.abs(ms)
  if (size < MINUTE) return { key: 'words.time.seconds', params: { n: Math.floor(size / SECOND) } }
  if (size < HOUR) return { key: 'words.time.minutes', params: { n: Math.floor(size / MINUTE) } }
  if (size < DAY) {
    const h = Math.floor(size / HOUR)
    const m = Math.floor((size % HOUR) / MINUTE)
    return m === 0
      ? { key: 'words.time.hours', params: { n: h } }
      : { key: 'words.time.hours_minutes', params: { h, m } }
  }
  const d = Math.floor(size / DAY)
  const h = Math.floor((size % DAY) / HOUR)
  return h === 0
    ? { key: 'words.time.days', params: { n: d } }
    : { key: 'words.time.days_hours', params: { d, h } }
}

/** How urgent a deadline looks. */
export type Urgency = 'calm' | 'soon' | 'over' | 'done' | 'past' | 'paused'

/** Whether it stands still now; a pause with a longest ends by itself. */
export function isPaused(deadline: Deadline, now: number): boolean {
  const { paused_since, paused_until } = deadline
  return paused_since !== null && (paused_until === null || now < Date.parse(paused_until))
}

/** The last quarter of the time allowed, and never less than ten minutes, counts as soon. */
export function urgency(deadline: Deadline, now: number): Urgency {
  if (deadline.past_at_recording) return 'past'
  const due = Date.parse(deadline.due)
  if (deadline.ended !== null) return Date.parse(deadline.ended) > due ? 'over' : 'done'
  if (isPaused(deadline, now)) return 'paused'
  if (now > due) return 'over'
  const allowed = due - Date.parse(deadline.from)
  return due - now <= Math.max(allowed / 4, Math.min(allowed, 10 * MINUTE)) ? 'soon' : 'calm'
}

/** How much of the time allowed is used, 0 to 1. */
export function used(deadline: Deadline, now: number): number {
  const from = Date.parse(deadline.from)
  const due = Date.parse(deadline.due)
  const stopped = deadline.ended ?? (isPaused(deadline, now) ? deadline.paused_since : null)
  const until = stopped === null ? now : Date.parse(stopped)
  if (due <= from) return 1
  return Math.min(1, Math.max(0, (until - from) / (due - from)))
}

/** Hours, minutes and seconds on the wall clock. */
export function clockTime(at: string | number, locale: Locale, seconds = false): string {
  return new Intl.DateTimeFormat(locale, {
    hour: '2-digit',
    minute: '2-digit',
    second: seconds ? '2-digit' : undefined,
    hourCycle: 'h23',
  }).format(new Date(at))
}

/** Date and time in full, as on paper; in English year first, since 02/03 is read two ways. */
export function dateTime(at: string | number, locale: Locale): string {
  return new Intl.DateTimeFormat(locale === 'en' ? 'sv-SE' : locale, {
    year: 'numeric',
    month: '2-digit',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(new Date(at))
}

function dayNumber(at: Date): number {
  return Math.round(new Date(at.getFullYear(), at.getMonth(), at.getDate()).getTime() / DAY)
}

/** "today 14:03" where that is shorter than the date; `at` as its own parameter. */
export function nearTime(at: string | number, now: number, locale: Locale): Phrase | string {
  const when = new Date(at)
  const time = clockTime(at, locale)
  switch (dayNumber(when) - dayNumber(new Date(now))) {
    case 0:
      return { key: 'words.time.today', params: { time } }
    case -1:
      return { key: 'words.time.yesterday', params: { time } }
    case 1:
      return { key: 'words.time.tomorrow', params: { time } }
    default: {
      const sameYear = when.getFullYear() === new Date(now).getFullYear()
      const date = new Intl.DateTimeFormat(locale, {
        year: sameYear ? undefined : 'numeric',
        month: locale === 'en' ? 'short' : 'numeric',
        day: 'numeric',
      }).format(when)
      return `${date} ${time}`
    }
  }
}

let told: { at: number; since: number } | undefined

/** The host says what time it truly is; this computer's clock may be wrong. */
export function tellPresent(at: string): void {
  told = { at: Date.parse(at), since: performance.now() }
}

/** The present: as last told, moved on by a clock that nobody sets. */
function present(): number {
  return told === undefined ? Date.now() : told.at + (performance.now() - told.since)
}

const ticking = ref(present())
let watchers = 0
let timer: ReturnType<typeof setInterval> | undefined

/** The present, moving on once a second while anybody looks. */
export function useNow(): Readonly<Ref<number>> {
  if (watchers === 0) {
    ticking.value = present()
    timer = setInterval(() => {
      ticking.value = present()
    }, SECOND)
  }
  watchers += 1
  onScopeDispose(() => {
    watchers -= 1
    if (watchers === 0) clearInterval(timer)
  })
  return ticking
}
