// The steps of the work as a person chooses them: which fact each writes,
// what it asks for, and where it stands among the others. Whether a step is
// possible now is never decided here: the hub lists what it would admit.
import type { Steps } from './calls'
import type { FactKind, State } from './types'

export type StepName = Exclude<keyof Steps, 'note'>
export type StepForm = 'none' | 'text' | 'dispatch' | 'report' | 'plan' | 'answer' | 'call_back' | 'pause' | 'grade'

export interface StepKind {
  name: StepName
  writes: FactKind
  form: StepForm
  /** For a form of one text: the name it is sent under, and whether it may be empty. */
  text?: { field: 'reason' | 'summary' | 'comment'; optional?: boolean }
  /** Part of the way to the answer, or something beside it. */
  onward: boolean
  /** Ends or gives away something: asked for in another colour. */
  grave?: boolean
}

export const STEP_KINDS: readonly StepKind[] = [
  { name: 'claim', writes: 'claimed', form: 'none', onward: true },
  { name: 'approve', writes: 'approved', form: 'text', text: { field: 'comment', optional: true }, onward: true },
  { name: 'disapprove', writes: 'disapproved', form: 'text', text: { field: 'reason' }, onward: true, grave: true },
  { name: 'acknowledge', writes: 'alert_acknowledged', form: 'none', onward: true },
  { name: 'answer', writes: 'answered', form: 'answer', onward: true },
  { name: 'implement', writes: 'implemented', form: 'text', text: { field: 'summary' }, onward: true },
  { name: 'start-solving', writes: 'solving_started', form: 'plan', onward: true },
  { name: 'request-approval', writes: 'approval_requested', form: 'text', text: { field: 'reason' }, onward: true },
  { name: 'dispatch', writes: 'dispatched', form: 'dispatch', onward: true },
  { name: 'report', writes: 'reported', form: 'report', onward: true },
  { name: 'return', writes: 'returned_to_branch', form: 'text', text: { field: 'reason' }, onward: true, grave: true },
  { name: 'call-back', writes: 'called_back', form: 'call_back', onward: true },
  { name: 'close', writes: 'closed', form: 'none', onward: true },
  { name: 'reopen', writes: 'reopened', form: 'text', text: { field: 'reason' }, onward: false },
  { name: 'pause', writes: 'paused', form: 'pause', onward: false },
  { name: 'resume', writes: 'resumed', form: 'none', onward: true },
  { name: 'grade', writes: 'graded', form: 'grade', onward: false },
  { name: 'release', writes: 'released', form: 'none', onward: false },
  { name: 'withdraw', writes: 'withdrawn', form: 'text', text: { field: 'reason' }, onward: false, grave: true },
]

/** The five stretches of an expert's way, for the picture above the steps. */
export const STRETCHES = ['claim', 'investigate', 'solve', 'implement', 'answer'] as const
export type Stretch = (typeof STRETCHES)[number]

/** How many stretches lie behind a complaint in this state. */
export function stretchesDone(state: State): number {
  switch (state) {
    case 'claimed':
    case 'dispatched':
      return 1
    case 'analysed':
    case 'awaiting_approval':
      return 2
    case 'solving':
      return 3
    case 'implemented':
      return 4
    case 'answered':
    case 'closed':
    case 'withdrawn':
    case 'archived':
      return STRETCHES.length
    default:
      return 0
  }
}
