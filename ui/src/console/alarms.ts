// What an early warning is called, in the reader's language.
import type { AlarmRow } from './types'

type Say = (key: string, named?: Record<string, unknown>) => string

/** What its complaints have in common, or what was counted. */
export function alarmTitle(row: AlarmRow, t: Say): string {
  const surge = row.surge
  if (!surge) return row.title || t('console.alarms.untitled')
  return t('console.alarms.surge_title', { day: surge.day, by: t(`console.alarms.by.${surge.by}`, { key: surge.key }) })
}

/** The expectation as people say it: whole from ten on. */
export function expected(of: number): string {
  return of >= 10 ? String(Math.round(of)) : of.toFixed(1)
}
