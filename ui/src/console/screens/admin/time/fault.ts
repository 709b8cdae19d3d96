// Where on the screen something the hub found fault with stands, and which
// sentence says it.
import { ROWS, spansOf, type Row } from './rules'
import type { Clock, Hours, HoursError, PauseRule, Policy, PolicyError, TimeProblem } from '../../../types'

export type Tab = 'limits' | 'hours' | 'pauses' | 'ladder' | 'calendar'

type PausePart = 'reason' | 'name' | 'clocks' | 'most'

export interface Fault {
  tab: Tab
  /** The name of the field in its tab. */
  field: string
  key: string
  params: Record<string, string | number>
}

/** The name of the field for the hours of all, or of a branch. */
export function hoursField(branch: string | null, row?: Row): string {
  const whose = `hours.${branch ?? ''}`
  return row === undefined ? whose : `${whose}.${row}`
}

export function pauseField(index: number, part: PausePart): string {
  return `pauses.${index}.${part}`
}

/** The name of the field for the rungs of a clock. */
export function ladderField(clock: Clock): string {
  return `ladder.${clock}`
}

/** `policy` is what was sent. */
export function faultOf(problem: TimeProblem, policy: Policy): Fault {
  if (problem.part === 'policy') return ofPolicy(problem.error, policy)
  return {
    tab: 'calendar',
    field: 'calendar',
    key: `console.time.problem.${problem.part}`,
    params: 'line' in problem ? { line: problem.line } : {},
  }
}

function ofPolicy(error: PolicyError, policy: Policy): Fault {
  const key = `console.time.problem.${error.problem}`
  switch (error.problem) {
    case 'zero':
    case 'too_long':
      return { tab: 'limits', field: error.field, key, params: {} }
    case 'automatic_handoff':
      return { tab: 'limits', field: 'automatic_handoff_before', key, params: {} }
    case 'missed_handoff':
      return { tab: 'limits', field: 'missed_handoff_costs', key, params: {} }
    case 'reminder':
      return { tab: 'limits', field: 'reminders', key, params: {} }
    case 'zone':
      return { tab: 'hours', field: 'zone', key, params: {} }
    case 'hours': {
      const hours = error.branch === null ? policy.hours : policy.branch_hours[error.branch]
      const row = hours && ROWS.find((one) => isFaulty(hours, one, error.error))
      return { tab: 'hours', field: hoursField(error.branch, row), key: `${key}_${error.error}`, params: {} }
    }
    case 'pause': {
      const { index, lacks } = pauseAtFault(policy, error.reason)
      const part = lacks === 'twice' ? 'reason' : lacks
      return { tab: 'pauses', field: pauseField(index, part), key: `${key}_${lacks}`, params: {} }
    }
    case 'never_pauses': {
      const index = policy.pauses.findIndex((rule) => rule.clocks.includes(error.clock))
      return { tab: 'pauses', field: pauseField(index, 'clocks'), key, params: {} }
    }
    case 'ladder':
      return { tab: 'ladder', field: ladderField(error.clock), key: `${key}_${error.level}`, params: {} }
  }
}

/** The hub tells which pause it means, not what it lacks; of two alike the later is too many. */
function pauseAtFault(policy: Policy, reason: string): { index: number; lacks: PausePart | 'twice' } {
  const same = [...policy.pauses.entries()].filter(([, rule]) => rule.reason === reason)
  for (const [index, rule] of same) {
    const lacks = lackOf(rule)
    if (lacks !== null) return { index, lacks }
  }
  return { index: same.at(-1)?.[0] ?? 0, lacks: 'twice' }
}

function lackOf(rule: PauseRule): PausePart | null {
  if (rule.reason.trim() === '') return 'reason'
  if (rule.name.trim() === '') return 'name'
  if (rule.clocks.length === 0) return 'clocks'
  return rule.most === 0 ? 'most' : null
}

/** The hub tells whose hours it means, not which day of them. */
function isFaulty(hours: Hours, row: Row, error: HoursError): boolean {
  const spans = spansOf(hours, row)
  switch (error) {
    case 'span':
      return spans.some((one) => one.from >= one.to)
    case 'order':
      return spans.some((one, index) => index > 0 && (spans[index - 1]?.to ?? 0) > one.from)
    case 'no_work':
      return false
  }
}
