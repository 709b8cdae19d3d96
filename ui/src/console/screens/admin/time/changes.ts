// What differs between two policies, in words: each setting with its old and
// its new value.
import { amountText } from '@/shared/words'
import { LADDER_CLOCKS, LADDER_ROWS, isTexted, rungsOf, whenOf, type Row as LadderRow } from './ladder'
import { CLOCK_LIMITS, DESK_LIMITS, MONEY_LIMITS, ROWS, inUnit, spansOf, spansText, type Row } from './rules'
import type { Clock, Hours, PauseRule, Policy, Rung, Span } from '../../../types'

export interface Words {
  t: (key: string, params?: Record<string, string | number>) => string
  /** The name of a weekday, from Monday, 0. */
  weekday: (index: number) => string
  /** The name of a branch. */
  branch: (code: string) => string
}

export interface Change {
  what: string
  was: string
  will: string
}

/** An exact length: no part of it is rounded away. */
export function lengthText(minutes: number, { t }: Pick<Words, 't'>): string {
  const { n, unit } = inUnit(minutes)
  return t(`words.time.${unit}`, { n })
}

export function rowName(row: Row, { t, weekday }: Pick<Words, 't' | 'weekday'>): string {
  return typeof row === 'number' ? weekday(row) : t(`console.time.hours.${row}`)
}

/** Where the clocks stand, as an offset or by a name. */
function zoneText({ zone, utc_offset }: Policy): string {
  if (zone !== null) return zone
  const size = Math.abs(utc_offset)
  const two = (n: number): string => String(n).padStart(2, '0')
  return `UTC${utc_offset < 0 ? '−' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`
}

/** Two policies, tidied, against each other. */
export function changesOf(before: Policy, after: Policy, words: Words): Change[] {
  const { t } = words
  const none = t('console.time.none')
  const changes: Change[] = []
  const compare = (what: string, was: string, will: string): void => {
    if (was !== will) changes.push({ what, was: was || none, will: will || none })
  }

  for (const name of CLOCK_LIMITS) {
    compare(t(`words.clock.${name}`), lengthText(before[name], words), lengthText(after[name], words))
  }
  const days = (n: number): string => t('console.time.limits.working_days', { n })
  compare(t('words.clock.cycle'), days(before.cycle_working_days), days(after.cycle_working_days))
  for (const name of DESK_LIMITS) {
    compare(t(`console.time.limits.${name}`), lengthText(before[name], words), lengthText(after[name], words))
  }
  const reminders = ({ reminders }: Policy): string => reminders.map((one) => lengthText(one, words)).join(', ')
  compare(t('console.time.limits.reminders'), reminders(before), reminders(after))

  const money = (minor: number): string => t('words.money.amount', { value: amountText(minor) })
  for (const name of MONEY_LIMITS) compare(t(`console.time.limits.${name}`), money(before[name]), money(after[name]))

  const times = (n: number): string => t('console.time.limits.times', { n })
  const costs = t('console.time.limits.missed_handoff_costs')
  compare(costs, times(before.missed_handoff_costs), times(after.missed_handoff_costs))

  compare(t('console.time.hours.zone'), zoneText(before), zoneText(after))
  for (const { what, was, will } of rowsChanged(before.hours, after.hours, words)) compare(what, was, will)
  const branches = new Set([...Object.keys(before.branch_hours), ...Object.keys(after.branch_hours)])
  for (const code of [...branches].sort()) {
    const [was, will] = [before.branch_hours[code], after.branch_hours[code]]
    const what = words.branch(code)
    if (was && will) {
      for (const one of rowsChanged(was, will, words)) compare(`${what} · ${one.what}`, one.was, one.will)
    } else compare(what, wholeText(was, words), wholeText(will, words))
  }

  const reasons = new Set([...before.pauses, ...after.pauses].map((rule) => rule.reason))
  for (const reason of reasons) {
    const of = ({ pauses }: Policy): string =>
      pauses
        .filter((rule) => rule.reason === reason)
        .map((rule) => pauseText(rule, words))
        .join('; ')
    compare(t('console.time.pauses.one', { reason }), of(before), of(after))
  }

  for (const clock of LADDER_CLOCKS) {
    for (const row of LADDER_ROWS) {
      const grade = row === null ? t('console.time.ladder.all') : t(`words.grade.${row}`)
      const what = t('console.time.ladder.what', { clock: t(`words.clock.${clock}`), grade })
      compare(what, rowText(before.ladder, clock, row, words), rowText(after.ladder, clock, row, words))
    }
  }
  return changes
}

const spansOrClosed = (spans: readonly Span[], { t }: Words): string =>
  spansText(spans) || t('console.time.hours.closed')

function rowsChanged(before: Hours, after: Hours, words: Words): Change[] {
  return ROWS.map((row) => ({
    what: rowName(row, words),
    was: spansOrClosed(spansOf(before, row), words),
    will: spansOrClosed(spansOf(after, row), words),
  }))
}

/** All hours of a branch in one line, days that are the same taken together. */
function wholeText(hours: Hours | undefined, words: Words): string {
  if (hours === undefined) return words.t('console.time.hours.as_others')
  const parts: { first: string; last: string; spans: string }[] = []
  for (const row of ROWS) {
    const name = rowName(row, words)
    const spans = spansOrClosed(spansOf(hours, row), words)
    const before = parts.at(-1)
    if (typeof row === 'number' && before?.spans === spans) before.last = name
    else parts.push({ first: name, last: name, spans })
  }
  return parts.map(({ first, last, spans }) => `${first === last ? first : `${first}–${last}`} ${spans}`).join('; ')
}

function pauseText(rule: PauseRule, words: Words): string {
  const { t } = words
  const clocks = [...rule.clocks].sort().map((clock) => t(`words.clock.${clock}`))
  const most =
    rule.most === null ? t('console.pause.no_most') : t('console.pause.most', { span: lengthText(rule.most, words) })
  return [rule.name, clocks.join(' · '), most].join(', ')
}

/** A grade without rungs of its own follows all. */
function rowText(ladder: readonly Rung[], clock: Clock, row: LadderRow, words: Words): string {
  const { t } = words
  const rungs = rungsOf(ladder, clock, row).map((rung) => {
    const params = { level: t(`words.level.${rung.level}`) }
    const when = whenOf(rung.after_due)
    const span = lengthText(Math.abs(rung.after_due), words)
    const told = t(`console.time.ladder.rung_${when}`, when === 'at' ? params : { ...params, span })
    return isTexted(rung) ? `${told} (${t('console.time.ladder.texted')})` : told
  })
  return rungs.length === 0 && row !== null ? t('console.time.ladder.as_all') : rungs.join(', ')
}
