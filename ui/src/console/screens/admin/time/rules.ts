// The rules of time as a person edits them: lengths in a unit one thinks in,
// times of the day, the rows of a week, and the years without a calendar.
import type { CalendarDay, Hours, Policy, Span } from '../../../types'

/** Minutes of each. */
export const UNITS = { minutes: 1, hours: 60, days: 24 * 60 } as const
export type Unit = keyof typeof UNITS

const MIDNIGHT = 24 * 60

/** The settings that are one number. */
type Numbers = { [Key in keyof Policy]: Policy[Key] extends number ? Key : never }[keyof Policy]
/** Those of a clock have its name. */
export const CLOCK_LIMITS = [
  'assessment',
  'handoff',
  'grade1_alert',
  'first_response',
  'initial_analysis',
  'feedback',
  'call_back',
  'outer_limit',
] as const satisfies readonly Numbers[]
export const DESK_LIMITS = ['automatic_handoff_before', 'idle_lock', 'lease'] as const satisfies readonly Numbers[]

/** The settings that are amounts, in the smallest unit of the currency. */
export const MONEY_LIMITS = ['compensation_limit', 'two_votes_from'] as const satisfies readonly Numbers[]

/** A length in the largest unit that says it exactly. */
export function inUnit(minutes: number): { n: number; unit: Unit } {
  const fits = (unit: Unit): boolean => minutes > 0 && minutes % UNITS[unit] === 0
  const unit = fits('days') ? 'days' : fits('hours') ? 'hours' : 'minutes'
  return { n: minutes / UNITS[unit], unit }
}

/** Minutes since midnight as a time of the day; the end of the day is 24:00. */
export function clockOf(minutes: number): string {
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${two(Math.floor(minutes / 60))}:${two(minutes % 60)}`
}

export function minutesOf(clock: string): number {
  const [hours = 0, minutes = 0] = clock.split(':').map(Number)
  return hours * 60 + minutes
}

export function spansText(spans: readonly Span[]): string {
  return spans.map((one) => `${clockOf(one.from)}–${clockOf(one.to)}`).join(', ')
}

/** The next span of a day: after a break of an hour, or the whole usual day. */
export function furtherSpan(spans: readonly Span[]): Span {
  const last = spans.at(-1)
  if (last === undefined) return { from: 9 * 60, to: 18 * 60 }
  const from = Math.min(last.to + 60, MIDNIGHT - 60)
  return { from, to: Math.min(from + 4 * 60, MIDNIGHT) }
}

/** A row of the week as it is shown: a weekday from Monday, 0, or a special day. */
export type Row = number | 'makeup' | 'half_day' | 'holiday'
export const WEEK: readonly Row[] = [0, 1, 2, 3, 4, 5, 6]
export const ROWS: readonly Row[] = [...WEEK, 'makeup', 'half_day', 'holiday']

export function spansOf(hours: Hours, row: Row): Span[] {
  return typeof row === 'number' ? (hours.week[row] ?? []) : hours[row]
}

export function setSpans(hours: Hours, row: Row, spans: Span[]): void {
  if (typeof row === 'number') hours.week[row] = spans
  else hours[row] = spans
}

/** One that shares nothing with the first; also of what Vue watches. */
export function copyOf<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T
}

/** The same policy with everything in order that has an order. */
export function tidied(policy: Policy): Policy {
  const tidy = copyOf(policy)
  tidy.reminders = [...new Set(tidy.reminders)].sort((a, b) => a - b)
  for (const hours of [tidy.hours, ...Object.values(tidy.branch_hours)]) {
    for (const row of ROWS) spansOf(hours, row).sort((a, b) => a.from - b.from)
  }
  return tidy
}

const NOVEMBER = 10

/** The years somebody has to bring a calendar for: this one, and from November on the next. */
export function uncovered(years: readonly number[], now: number): number[] {
  const today = new Date(now)
  const year = today.getFullYear()
  const needed = today.getMonth() >= NOVEMBER ? [year, year + 1] : [year]
  return needed.filter((one) => !years.includes(one))
}

/** A calendar's date at its midnight here. */
export function dateOf(date: string): Date {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number)
  return new Date(year, month - 1, day)
}

/** The listed days of a year, by those of its months that have some. */
export function monthsOf(days: readonly CalendarDay[], year: number): CalendarDay[][] {
  const months = new Map<string, CalendarDay[]>()
  for (const day of days.filter((one) => one.date.startsWith(`${year}-`))) {
    const month = day.date.slice(0, 7)
    months.set(month, [...(months.get(month) ?? []), day])
  }
  return [...months.values()]
}
