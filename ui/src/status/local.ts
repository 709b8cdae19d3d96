// Moments as the installation's clocks show them. The hub sends them with
// their offset, so neither the telephone's zone nor its clock has a say.
import type { Locale } from '@/shared/settings'

/** The wall clock's reading as if it were UTC, to be formatted as UTC. */
function wall(at: string): Date {
  return new Date(`${at.slice(0, 19)}Z`)
}

/** Date with weekday and time, for example 2026年7月21日周二 10:00. */
export function moment(at: string, locale: Locale): string {
  return new Intl.DateTimeFormat(locale === 'en' ? 'en-GB' : locale, {
    timeZone: 'UTC',
    year: 'numeric',
    month: locale === 'en' ? 'short' : 'long',
    day: 'numeric',
    weekday: 'short',
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
  }).format(wall(at))
}

/** The offset, for example UTC+08:00, when the reader's clock shows another time. */
export function foreignOffset(at: string): string | null {
  const [, offset] = /([+-]\d\d:\d\d|Z)$/.exec(at) ?? []
  if (offset === undefined) return null
  const [hours = '0', minutes = '0'] = offset === 'Z' ? [] : offset.slice(1).split(':')
  const east = (Number(hours) * 60 + Number(minutes)) * (offset.startsWith('-') ? -1 : 1)
  return -new Date(at).getTimezoneOffset() === east ? null : `UTC${offset === 'Z' ? '' : offset}`
}
