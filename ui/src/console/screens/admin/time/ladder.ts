// The ladder as a person edits it: of each clock the rungs for all grades, and
// those of a grade that is set apart.
import { GRADES, LEVELS } from '../../../escalations'
import type { Clock, Grade, Level, Rung } from '../../../types'

/** In the order of a complaint's life. */
export const LADDER_CLOCKS = [
  'assessment',
  'handoff',
  'grade1_alert',
  'first_response',
  'initial_analysis',
  'department',
  'measure',
  'feedback',
  'cycle',
  'call_back',
  'outer_limit',
] as const satisfies readonly Clock[]

/** Null is all grades that are not set apart. */
export type Row = Grade | null
export const LADDER_ROWS: readonly Row[] = [null, ...GRADES]

const isOf = (rung: Rung, clock: Clock, row: Row): boolean => rung.clock === clock && (rung.grade ?? null) === row

/** From the lowest level. */
export function rungsOf(ladder: readonly Rung[], clock: Clock, row: Row): Rung[] {
  return LEVELS.flatMap((level) => ladder.filter((rung) => isOf(rung, clock, row) && rung.level === level))
}

/** Minutes after the deadline; null when nobody is told. */
export function afterDue(ladder: readonly Rung[], clock: Clock, row: Row, level: Level): number | null {
  return ladder.find((rung) => isOf(rung, clock, row) && rung.level === level)?.after_due ?? null
}

export function setAfterDue(ladder: Rung[], clock: Clock, row: Row, level: Level, after: number | null): void {
  const at = ladder.findIndex((rung) => isOf(rung, clock, row) && rung.level === level)
  const known = ladder[at]
  if (after === null) {
    if (known) ladder.splice(at, 1)
  } else if (known) known.after_due = after
  else ladder.push({ clock, grade: row, level, after_due: after, texted: null })
}

/** Whether those with a duty telephone are texted; the hub's rule where nothing is said. */
export const isTexted = ({ clock, level, texted }: Pick<Rung, 'clock' | 'level' | 'texted'>): boolean =>
  texted ?? (clock === 'grade1_alert' || level === 'report')

export function rungOf(ladder: readonly Rung[], clock: Clock, row: Row, level: Level): Rung | undefined {
  return ladder.find((rung) => isOf(rung, clock, row) && rung.level === level)
}

export function setTexted(ladder: Rung[], clock: Clock, row: Row, level: Level, texted: boolean): void {
  const rung = rungOf(ladder, clock, row, level)
  if (rung) rung.texted = texted
}

/** Begins with what held until now; a grade without a rung is not set apart. */
export function setApart(ladder: Rung[], clock: Clock, grade: Grade): void {
  const all = rungsOf(ladder, clock, null)
  const begin = all.length > 0 ? all : [{ clock, grade, level: 'copy', after_due: 0, texted: null } as const]
  ladder.push(...begin.map((rung) => ({ ...rung, grade })))
}

export function dropRow(ladder: Rung[], clock: Clock, row: Row): void {
  for (const { level } of rungsOf(ladder, clock, row)) setAfterDue(ladder, clock, row, level, null)
}

export type When = 'none' | 'before' | 'at' | 'after'
export const WHENS = ['none', 'before', 'at', 'after'] as const satisfies readonly When[]

export function whenOf(after: number | null): When {
  if (after === null) return 'none'
  if (after === 0) return 'at'
  return after < 0 ? 'before' : 'after'
}
